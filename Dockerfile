# turbo-serve with the model that ships and PocketSphinx: nothing is fetched when it runs.
# Use: docs/guide/deployment.md
# PyAV's wheel brings FFmpeg with x264 and x265, which are under the GPL: whoever passes the image on
# has to keep to it (docs/guide/deployment.md).
ARG PYTHON=3.13

FROM python:${PYTHON}-slim-trixie AS build
WORKDIR /src
COPY pyproject.toml README.md CHANGELOG.md LICENSE LICENSE-WEIGHTS.md ./
COPY deploy/requirements.lock deploy/build.lock deploy/
COPY turbo_stream turbo_stream
# Wheels only: an image is not the place to find out that something needs a compiler. Versions as
# locked, and nothing else: `pip check` ends the build if something is missing or does not fit.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --only-binary :all: --no-deps -r deploy/build.lock \
    && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
    && python -m venv /opt/turbo-stream \
    && /opt/turbo-stream/bin/pip install --no-cache-dir --only-binary :all: --no-deps \
        -r deploy/requirements.lock /opt/wheel/*.whl \
    && /opt/turbo-stream/bin/pip check \
    && /opt/turbo-stream/bin/turbo-doctor --no-microphone

FROM python:${PYTHON}-slim-trixie
# For turbo-listen in the same image, with --device /dev/snd; turbo-serve needs no sound library.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libportaudio2 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 turbo \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin turbo
COPY --from=build /opt/turbo-stream /opt/turbo-stream
# Whisper models, if any, are mounted at /models; with the network forbidden, `--asr auto` looks
# there and takes PocketSphinx otherwise. No bytecode: the file system may be read-only.
ENV PATH=/opt/turbo-stream/bin:$PATH \
    HF_HOME=/models \
    HF_HUB_OFFLINE=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /
EXPOSE 8765
# A server on another --port, or with --tls-cert, brings its own check.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/healthz', timeout=3)"]
ENTRYPOINT ["turbo-serve", "--host", "0.0.0.0"]
