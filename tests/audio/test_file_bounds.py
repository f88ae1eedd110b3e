"""A sound file says how much memory and time it takes; there is a bound to either."""

import io
import sys
import time
from contextlib import suppress

import httpx
import numpy as np
import pytest
import soundfile

from tests.support.odd_sound import au, memory_to_read, sound_beside_a_picture, wav
from tests.support.served import served, shared_models
from tests.support.sounds import chirp, pcm_of
from turbo_stream.audio._bounds import MOST_CHANNELS
from turbo_stream.audio._sndfile import _Readable
from turbo_stream.audio.file import FileSource
from turbo_stream.cli.listen import main as listen
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip

MANY = [65, 132, 255, 256, 1000, 1024, 1025, 5000]

MIB = 1 << 20


def files_of(channels: int) -> dict[str, bytes]:
    size = channels * 2 * 1600
    return {
        "wav": wav(channels, 16_000, size=size),
        "unfinished wav": wav(channels, 16_000, size=size, said=0),
        "wav of bytes": wav(channels, 16_000, bits=8, size=channels * 1600),
        "au": au(channels, 16_000, size),
    }


@pytest.mark.parametrize("channels", MANY)
def test_too_many_channels_are_refused_with_what_is_allowed(channels) -> None:
    for content in files_of(channels).values():
        with pytest.raises(InputError, match=f"1 to {MOST_CHANNELS}"):
            list(FileSource("x", content=content))


@pytest.mark.parametrize("channels", [2, 9, 32, MOST_CHANNELS])
def test_as_many_as_are_allowed_are_heard(channels) -> None:
    for content in files_of(channels).values():
        heard = len(pcm_of(FileSource("x", content=content)))
        assert heard == pytest.approx(1600, abs=channels)


@pytest.mark.parametrize("channels", [132, 1025])
def test_every_reader_of_files_says_so(channels, tmp_path, capsys, monkeypatch) -> None:
    path = tmp_path / "wide.wav"
    with served(shared_models()) as server:
        for content in files_of(channels).values():
            path.write_bytes(content)
            monkeypatch.setattr(sys, "argv", ["turbo-listen", str(path), "--asr", "none"])
            with pytest.raises(SystemExit) as end:
                listen()
            assert end.value.code == 2
            said = capsys.readouterr().err
            assert f"1 to {MOST_CHANNELS}" in said and "Traceback" not in said
            answer = httpx.post(f"{server.url}/v1/classify", content=content)
            assert answer.status_code == 400 and f"1 to {MOST_CHANNELS}" in answer.json()["error"]
            with pytest.raises(InputError):
                read_clip(path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the memory")
@pytest.mark.parametrize(
    "content",
    [
        lambda: wav(1024, 1_000_000, bits=8, size=32 * MIB),
        lambda: wav(255, 1_000_000, bits=8, size=32 * MIB),
        lambda: wav(64, 1_000_000, bits=8, size=32 * MIB),
        lambda: wav(64, 262_144, bits=8, size=32 * MIB),
        lambda: wav(64, 262_144, bits=8, size=32 * MIB, said=0),
        lambda: wav(1, 1_000, bits=8, size=1 * MIB),
        lambda: sound_beside_a_picture(8_000),
    ],
    ids=["1024", "255", "64", "allowed", "unfinished", "the lowest rate", "a picture"],
)
def test_no_file_takes_much_memory(content, tmp_path) -> None:
    path = tmp_path / "sound"
    path.write_bytes(content())
    assert memory_to_read(path) < 40


def test_a_joined_part_of_a_rate_that_no_speech_has_is_passed_over() -> None:
    """Brought to the first part's rate, a second of it would be days."""
    files = []
    for rate in (192_000, 1, 16_000):
        file = io.BytesIO()
        soundfile.write(file, chirp(1.0, 16_000), rate, format="OGG", subtype="VORBIS")
        files.append(file.getvalue())
    source = FileSource("x", content=files[0] + files[1])
    assert len(pcm_of(source)) == pytest.approx(16_000 / 12, abs=200)
    assert "1 samples a second" in source.notices[0]
    source = FileSource("x", content=b"".join(files))
    assert len(pcm_of(source)) == pytest.approx(16_000 / 12 + 16_000, abs=400)


@pytest.mark.parametrize("beginning", [b"OggS\0\x02", b"OggS\0\x02" + bytes(60)])
def test_beginnings_without_sound_end_an_ogg_file(beginning) -> None:
    file = io.BytesIO()
    soundfile.write(file, chirp(1.0, 16_000), 16_000, format="OGG")
    begun_s = time.monotonic()
    source = FileSource("x", content=file.getvalue() + beginning * 30_000)
    assert len(pcm_of(source)) == pytest.approx(16_000, abs=400)
    assert time.monotonic() - begun_s < 20, "megabytes were looked at for each of them"
    assert "not heard" in source.notices[0]


def test_many_joined_ogg_files_are_heard_whole() -> None:
    file = io.BytesIO()
    soundfile.write(file, np.tile(chirp(0.1, 16_000), 2), 16_000, format="OGG")
    source = FileSource("x", content=file.getvalue() * 100)
    assert len(pcm_of(source)) >= 100 * 3_200


@pytest.mark.parametrize(("kind", "subtype"), [("SDS", "PCM_16"), ("CAF", "ALAC_16")])
def test_nothing_that_a_library_finds_wrong_is_printed(kind, subtype, capfd) -> None:
    """On standard output it would stand between JSON lines."""
    file = io.BytesIO()
    soundfile.write(file, chirp(1.0, 16_000), 16_000, format=kind, subtype=subtype)
    assert list(FileSource("x", content=file.getvalue()))
    for number in range(200):
        chance = np.random.default_rng(number)
        damaged = bytearray(file.getvalue())
        for at in chance.integers(16, len(damaged), 20):
            damaged[at] = chance.integers(256)
        at = damaged.find(b"pakt") + 4
        damaged[at + 8 : at + 32] = chance.bytes(24)
        with suppress(InputError):
            list(FileSource("x", content=bytes(damaged)))
    said = capfd.readouterr()
    assert not said.out and not said.err


def test_a_reader_that_is_sent_before_the_beginning_stays_where_it_is() -> None:
    file = _Readable(io.BytesIO(b"abc"))
    assert file.seek(2) == 2
    assert file.seek(-1) == 2 and file.seek(-9, 1) in (0, 2)
    assert file.seek(2**70) >= 0


def test_sound_of_a_codec_that_nobody_knows_is_refused() -> None:
    content = sound_beside_a_picture(16).replace(b"auds\x01\0\0\0", b"auds\xfe\x7e\0\0")
    at = content.index(b"strf", content.index(b"auds")) + 8
    content = content[:at] + b"\xee\x7e" + content[at + 2 :]
    with pytest.raises(InputError, match="FFmpeg"):
        list(FileSource("x", content=content))
