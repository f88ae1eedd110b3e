"""Sound files that say odd things of themselves, and what reading one costs."""

import io
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.support.paths import ROOT


def wav(channels: int, rate: int, *, bits: int = 16, size: int, said: int | None = None) -> bytes:
    """A WAV of `size` bytes of samples, whose header says that it has `said`."""
    frame = channels * bits // 8
    body = np.random.default_rng(channels).integers(0, 256, size, np.uint8).tobytes()
    shape = struct.pack(
        "<IHHIIHH", 16, 1, channels, rate, rate * frame % 2**32, frame % 2**16, bits
    )
    said = size if said is None else said
    return (
        b"RIFF" + struct.pack("<I", (36 + said) % 2**32) + b"WAVEfmt " + shape
        + b"data" + struct.pack("<I", said) + body
    )  # fmt: skip


def au(channels: int, rate: int, size: int) -> bytes:
    """An AU file of 16-bit samples."""
    return b".snd" + struct.pack(">IIIII", 24, 0xFFFFFFFF, 3, rate, channels) + bytes(size)


def sound_beside_a_picture(side: int) -> bytes:
    """A second of sound, and a black picture of that many pixels a side, packed small."""
    file = io.BytesIO()
    with av.open(file, "w", format="avi") as container:
        video = container.add_stream("png", rate=5)
        video.width = video.height = side
        video.pix_fmt = "rgba"
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        image = av.VideoFrame(side, side, "rgba")
        image.planes[0].update(bytes(image.planes[0].buffer_size))
        image.pts, image.time_base = 0, Fraction(1, 5)
        container.mux(video.encode(image))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        container.mux(audio.encode(frame))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return file.getvalue()


_READ = """
import re, sys
from pathlib import Path
import numpy, soundfile, soxr, av
from turbo_stream.audio.file import FileSource
from turbo_stream.errors import InputError

def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) // 1024

content = Path(sys.argv[1]).read_bytes()
before = peak()
try:
    for _ in FileSource("the file", content=content):
        pass
except InputError as error:
    print(error, file=sys.stderr)
print(peak() - before)
"""


def memory_to_read(path: Path) -> int:
    """Return how many MiB a process grows by at most while it reads `path`, as an upload is."""
    done = subprocess.run(
        [sys.executable, "-c", _READ, path], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)
