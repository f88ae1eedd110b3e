import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import fake_hub
from tests.support.paths import ROOT
from turbo_stream.errors import InputError
from turbo_stream.recognition import _hub as hub

REPOSITORY = "Systran/faster-whisper-tiny.en"

LOAD_AUTO = """
import sys, time
import soundfile
from turbo_stream.recognition.auto import load_recognizer
recognizer = load_recognizer("auto", say=lambda line: print(line))
pcm, _ = soundfile.read(sys.argv[1], dtype="int16")
print(recognizer.name, "|", recognizer.transcribe(pcm[14400:54400]).text)
"""

HANG = """
import socket, sys, time
from huggingface_hub import HfApi, utils  # loading code is not waiting for the Hub
socket.getaddrinfo = lambda *_, **__: time.sleep(60)
from turbo_stream.errors import InputError
from turbo_stream.recognition import _hub as hub
start = time.monotonic()
try:
    hub.download("Systran/faster-whisper-tiny.en")
except InputError as error:
    print(f"{time.monotonic() - start:.2f}", error)
"""


def run(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("HF_HUB_OFFLINE",)}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**inherited, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.mark.slow
def test_downloads_once_with_a_bar_then_needs_no_hub(whisper_folder: Path, tmp_path: Path) -> None:
    scene = str(ROOT / "examples" / "kitchen.flac")
    home = {"HF_HOME": str(tmp_path), "HF_HUB_DISABLE_XET": "1"}
    with fake_hub.serve(REPOSITORY, whisper_folder) as endpoint:
        first = run(LOAD_AUTO, scene, HF_ENDPOINT=endpoint, **home)
    assert "Whisper tiny.en" in first.stdout.splitlines()[0]
    assert "whisper:tiny.en | Turn on the kitchen lights." in first.stdout
    assert f"downloading {REPOSITORY}" in first.stderr
    second = run(LOAD_AUTO, scene, HF_HUB_OFFLINE="1", **home)
    assert second.stdout == first.stdout
    assert "downloading" not in second.stderr


@pytest.mark.slow
def test_a_name_lookup_that_hangs_is_given_up_within_3_s(tmp_path: Path) -> None:
    start = time.monotonic()
    child = run(HANG, HF_HOME=str(tmp_path))
    waited, message = child.stdout.strip().split(" ", 1)
    assert float(waited) < 3.0
    assert "out of reach (no answer in 2 s)" in message
    assert time.monotonic() - start < 30  # nor does the hanging lookup keep the process alive


def test_offline_by_wish_asks_nobody(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *where, **_: asked.append(where))
    with pytest.raises(InputError, match="out of reach \\(HF_HUB_OFFLINE is set\\)") as caught:
        hub.download(REPOSITORY)
    assert not asked
    assert "\n" not in str(caught.value)


def test_a_refused_connection_is_out_of_reach(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(InputError, match="out of reach .*copy the model's folder") as caught:
        hub.download(REPOSITORY)
    assert "\n" not in str(caught.value)


def test_a_repository_the_hub_does_not_have(
    empty_cache: Path, whisper_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with fake_hub.serve(REPOSITORY, whisper_folder) as endpoint:
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        with pytest.raises(InputError, match="has no model no/such") as caught:
            hub.download("no/such")
    assert "\n" not in str(caught.value)


def test_a_cache_with_half_a_model_counts_as_none(empty_cache: Path) -> None:
    commit = "0" * 40
    repository = empty_cache / f"models--{REPOSITORY.replace('/', '--')}"
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    (snapshot / "config.json").write_text("{}")
    assert hub.cached(REPOSITORY) is None
    for name in ("model.bin", "tokenizer.json"):
        (snapshot / name).write_text("{}")
    assert hub.cached(REPOSITORY) == snapshot
