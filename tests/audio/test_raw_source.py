"""Raw PCM through real pipes."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tests.support.sounds import chirp, pcm_of
from turbo_stream.audio._raw import RawSource
from turbo_stream.errors import InputError

SAMPLES = np.rint(chirp(1.0, 16_000) * 32768).astype("<i2")

LISTEN = """
import sys
from turbo_stream.audio.open import open_source
from turbo_stream.errors import InputError
try:
    print(sum(int(item.pcm.astype(int).sum()) * 0 + len(item.pcm) for item in open_source("-")))
except InputError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
"""


def listen(**kwargs):
    return subprocess.run(
        [sys.executable, "-c", LISTEN], capture_output=True, text=True, timeout=60, **kwargs
    )


@pytest.mark.parametrize("chunk", [1, 3, 7, 640, 4095, 100_000])
def test_samples_survive_any_chunking(chunk):
    reader, writer = os.pipe()
    data = SAMPLES[:4000].tobytes()

    def feed():
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for start in range(0, len(data), chunk):
                pipe.write(data[start : start + chunk])

    threading.Thread(target=feed).start()
    with os.fdopen(reader, "rb") as pipe:
        assert np.array_equal(pcm_of(RawSource(pipe)), SAMPLES[:4000])


@pytest.mark.parametrize("data", [b"\x01\x02", b"\x01\x02\x03"])
def test_the_shortest_streams(data):
    assert pcm_of(RawSource(io.BytesIO(data))).tolist() == [0x0201]


def test_a_read_returns_what_is_there():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe, os.fdopen(writer, "wb", buffering=0) as feeder:
        items = iter(RawSource(pipe))
        for _ in range(3):
            feeder.write(SAMPLES[:320].tobytes())
            started = time.monotonic()
            assert len(next(items).pcm) == 320
            assert time.monotonic() - started < 0.1


def test_close_wakes_a_reader_that_waits():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as pipe, os.fdopen(writer, "wb", buffering=0) as feeder:
        source = RawSource(pipe)
        feeder.write(SAMPLES[:100].tobytes())
        threading.Timer(0.2, source.close).start()
        started = time.monotonic()
        assert len(pcm_of(source)) == 100
        assert time.monotonic() - started < 2
        source.close()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ended without a sample"),
        (b"\x01", "ended without a sample"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "begins like a WAV file"),
        (b"fLaC" + bytes(100), "begins like a FLAC file"),
        (b"ID3\x04" + bytes(100), "begins like a MP3 file"),
    ],
)
def test_a_stream_without_raw_samples_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        pcm_of(RawSource(io.BytesIO(data)))


def test_stdin_of_a_real_process():
    result = subprocess.run(
        [sys.executable, "-c", LISTEN], input=SAMPLES.tobytes(), capture_output=True, timeout=60
    )
    assert (result.returncode, result.stdout.strip()) == (0, b"16000")


def test_a_closed_stdin_is_one_line():
    result = listen(preexec_fn=lambda: os.close(0))
    assert result.returncode == 2
    assert "stdin is closed" in result.stderr and result.stderr.count("\n") == 1


def test_a_terminal_as_stdin_is_one_line():
    ours, theirs = os.openpty()
    try:
        result = listen(stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert result.returncode == 2
    assert "stdin is a terminal" in result.stderr and result.stderr.count("\n") == 1


def test_a_signal_handler_can_close():
    script = """
import signal
from turbo_stream.audio.open import open_source
source = open_source("-")
signal.signal(signal.SIGTERM, lambda *_: source.close())
print("ready", flush=True)
print(sum(len(item.pcm) for item in source))
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        process.stdin.write(SAMPLES[:500].tobytes())
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
    assert (process.returncode, out.strip()) == (0, b"500")
