"""Sound files on standard input are recognized; raw samples are not taken for one."""

import io

import numpy as np
import pytest
import soundfile

from tests.support.sound_files import encode
from tests.support.sounds import chirp, pcm_of
from turbo_stream.audio._raw import RawSource
from turbo_stream.errors import InputError

BY_SNDFILE = {
    "WAV": "WAV",
    "RF64": "WAV",
    "W64": "W64",
    "FLAC": "FLAC",
    "OGG": "Ogg",
    "AIFF": "AIFF",
    "CAF": "CAF",
    "AU": "AU",
    "MP3": "MP3",
    "AVR": "AVR",
    "NIST": "SPHERE",
    "VOC": "VOC",
}
BY_FFMPEG = {
    "webm": ("libopus", "WebM"),
    "mkv": ("aac", "Matroska"),
    "m4a": ("aac", "MP4"),
    "mp4": ("aac", "MP4"),
    "mov": ("aac", "MP4"),
    "aac": ("aac", "AAC"),
    "mp3": ("libmp3lame", "MP3"),
    "ac3": ("ac3", "AC-3"),
    "ts": ("aac", "MPEG-TS"),
    "flv": ("aac", "FLV"),
    "avi": ("libmp3lame", "AVI"),
}


class Slow(io.BytesIO):
    """A pipe whose writer writes little at a time."""

    def read1(self, size=-1):
        return super().read1(50)


def refuse(content: bytes, name: str) -> None:
    for stream in (io.BytesIO(content), Slow(content)):
        with pytest.raises(InputError, match=f"begins like a .*{name}.* file") as caught:
            pcm_of(RawSource(stream))
        assert "\n" not in str(caught.value)
        assert "ffmpeg -i - -f s16le -ar 16000 -ac 1 -" in str(caught.value)


@pytest.mark.parametrize("kind", BY_SNDFILE)
def test_files_of_libsndfile(kind):
    file = io.BytesIO()
    soundfile.write(file, chirp(2.0, 16_000), 16_000, format=kind)
    refuse(file.getvalue(), BY_SNDFILE[kind])


@pytest.mark.parametrize("suffix", BY_FFMPEG)
def test_files_of_ffmpeg(tmp_path, suffix):
    codec, name = BY_FFMPEG[suffix]
    path = tmp_path / f"a.{suffix}"
    encode(path, [chirp(2.0, 48_000)], codec, 48_000)
    refuse(path.read_bytes(), name)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000])
def test_mp3_without_a_tag(tmp_path, rate):
    encode(tmp_path / "a.mp3", [chirp(2.0, rate)], "libmp3lame", rate)
    content = (tmp_path / "a.mp3").read_bytes()
    length = int.from_bytes(content[6:10], "big")
    assert content[:3] == b"ID3" and length < 128
    refuse(content[10 + length :], "MP3")


@pytest.mark.parametrize(
    "head",
    [b"\xff\xfb\x90\x00", b"\xff\xf1\x50\x80\x02\x1f\xfc", b"G@\x11\x10", b"\x0b\x77\0\0\x14"],
)
def test_raw_samples_that_begin_like_a_frame_are_heard_whole(head):
    samples = np.random.default_rng(0).integers(-3000, 3000, 40_000).astype("<i2").tobytes()
    data = head + samples[len(head) :]
    for stream in (io.BytesIO(data), Slow(data)):
        assert pcm_of(RawSource(stream)).tobytes() == data
    assert pcm_of(RawSource(io.BytesIO(data[:100]))).tobytes() == data[:100]


def test_any_samples_are_heard_whole():
    random = np.random.default_rng(1)
    for _ in range(300):
        data = random.integers(-2000, 2000, 1000).astype("<i2").tobytes()
        assert pcm_of(RawSource(io.BytesIO(data))).tobytes() == data
