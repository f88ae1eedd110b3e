"""All of a file's sound is heard, or a line says that some is not."""

import struct

import numpy as np
import pytest
import soundfile

from tests.support.sounds import chirp, pcm_of
from turbo_stream.audio.file import FileSource
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip

SOUND = np.rint(chirp(2.0, 16_000) * 32_768).astype(np.int16)
UNKNOWN = 0xFFFFFFFF


@pytest.fixture
def wav(tmp_path):
    """Write a WAV with those sizes in its header, and return it."""

    def write(riff: int, data: int, before: bytes = b"", after: bytes = b""):
        path = tmp_path / "a.wav"
        soundfile.write(path, SOUND, 16_000)
        content = path.read_bytes()
        header = content[:4] + struct.pack("<I", riff) + content[8:36]
        chunk = b"data" + struct.pack("<I", data)
        path.write_bytes(header + before + chunk + content[44:] + after)
        return path

    return write


@pytest.mark.parametrize(
    ("riff", "data"),
    [(0, 0), (UNKNOWN, UNKNOWN), (UNKNOWN, 0), (64_036, 0), (0, 64_000), (36, 0), (64_036, 64_044)],
)
@pytest.mark.parametrize("padding", [0, 4044])
def test_a_recorder_that_was_killed(wav, riff, data, padding):
    junk = b"JUNK" + struct.pack("<I", padding) + bytes(padding) if padding else b""
    path = wav(riff, data, junk)
    source = FileSource(path)
    assert np.array_equal(pcm_of(source), SOUND)
    assert source.notices == []
    assert np.array_equal(read_clip(path, 1.0, 0.5), SOUND[16_000:24_000])


def test_sound_that_no_decoder_finds_is_told(wav):
    path = wav(64_036, 32_000)
    source = FileSource(path)
    assert np.array_equal(pcm_of(source), SOUND[:16_000])
    (notice,) = source.notices
    assert "32000 bytes after its sound are not heard" in notice and "\n" not in notice


@pytest.mark.parametrize("after", [b"LIST", b"id3 "])
def test_what_is_no_sound_is_not_told(wav, after):
    chunk = after + struct.pack("<I", 9001) + b"x" * 9002
    for rest in (chunk, chunk + chunk, bytes(50_000)):
        source = FileSource(wav(0, 64_000, after=rest))
        assert np.array_equal(pcm_of(source), SOUND)
        assert source.notices == []


def test_joined_wav_files_are_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", SOUND, 16_000)
    (tmp_path / "two.wav").write_bytes((tmp_path / "a.wav").read_bytes() * 2)
    source = FileSource(tmp_path / "two.wav")
    assert len(pcm_of(source)) == len(SOUND)
    assert "64044 bytes" in source.notices[0]


def write(path, rate: int, channels: int) -> bytes:
    sound = np.repeat(chirp(3.0, rate)[:, None], channels, axis=1)
    kind = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
    soundfile.write(path, sound, rate, **kind)
    return path.read_bytes()


@pytest.mark.parametrize("suffix", ["ogg", "opus", "flac", "mp3"])
def test_joined_files_are_heard_whole(tmp_path, suffix):
    rate = 48_000
    one = write(tmp_path / f"one.{suffix}", rate, 1)
    (tmp_path / f"three.{suffix}").write_bytes(one * 3)
    source = FileSource(tmp_path / f"three.{suffix}")
    assert len(pcm_of(source)) == pytest.approx(9 * 16_000, abs=2000)
    assert source.notices == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("a.ogg", 44_100, 1), ("b.ogg", 48_000, 2)),
        (("a.ogg", 48_000, 2), ("b.ogg", 22_050, 1)),
        (("a.opus", 48_000, 1), ("b.opus", 48_000, 2)),
        (("a.ogg", 44_100, 1), ("b.opus", 48_000, 1)),
    ],
)
def test_joined_ogg_files_of_several_kinds(tmp_path, first, second):
    parts = [write(tmp_path / name, rate, channels) for name, rate, channels in (first, second)]
    (tmp_path / "both.ogg").write_bytes(b"".join([*parts, parts[0]]))
    pcm = pcm_of(FileSource(tmp_path / "both.ogg"))
    assert len(pcm) == pytest.approx(9 * 16_000, abs=1000)
    for third in np.split(pcm[: 9 * 15_900], 3):
        assert np.abs(third).max() > 12_000


def test_a_tag_before_the_file_hides_nothing(tmp_path):
    soundfile.write(tmp_path / "a.wav", SOUND, 16_000)
    tag = b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10)
    (tmp_path / "b.wav").write_bytes(tag + (tmp_path / "a.wav").read_bytes())
    # libsndfile ends as much too early as the tag is long.
    pcm = pcm_of(FileSource(tmp_path / "b.wav"))
    assert np.array_equal(pcm, SOUND[: len(pcm)]) and len(pcm) >= len(SOUND) - 10


def test_a_file_that_has_bytes_but_no_samples(tmp_path):
    soundfile.write(tmp_path / "a.au", SOUND, 16_000, format="AU")
    content = (tmp_path / "a.au").read_bytes()
    (tmp_path / "a.au").write_bytes(content[:8] + bytes(4) + content[12:])
    with pytest.raises(InputError, match="holds no samples.*complete"):
        FileSource(tmp_path / "a.au")
