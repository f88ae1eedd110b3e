"""The file of known voices: whole, private, and nothing in it but what was agreed to."""

import json
import stat

import numpy as np
import pytest

from turbo_stream.errors import InputError
from turbo_stream.voices.encoder import SHA256
from turbo_stream.voices.voice_file import (
    MOST_VECTORS,
    MOST_VOICES,
    Voice,
    VoiceFile,
    change,
    checked_name,
    remove,
)

TODAY = "2026-11-29"


def made(count: int, seed: int = 0) -> Voice:
    vectors = np.random.default_rng(seed).normal(size=(count, 256)).astype(np.float32)
    return Voice(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), TODAY)


def test_what_is_written_is_read_for_the_owner_alone(tmp_path) -> None:
    path = tmp_path / "voices.json"
    change(path, {"Anna": made(3)}, SHA256)
    change(path, {"Jörg": made(2, 1)}, SHA256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = VoiceFile.read(path)
    assert [*read.voices] == ["Anna", "Jörg"]
    assert (read.voices["Anna"].vectors == made(3).vectors).all()
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []


def test_it_holds_names_days_and_vectors_and_nothing_else(house) -> None:
    body = json.loads(house.read_text())
    assert sorted(body) == ["encoder", "format", "kind", "sha256", "voices"]
    for voice in body["voices"]:
        assert sorted(voice) == ["added", "name", "vectors"]
        assert all(len(one) == 1368 for one in voice["vectors"])  # 256 numbers in base64


def test_more_of_a_voice_is_added_and_the_oldest_is_forgotten() -> None:
    file = VoiceFile(SHA256, {"Anna": made(MOST_VECTORS)}).with_voice("Anna", made(2, 1))
    assert (file.voices["Anna"].vectors[-2:] == made(2, 1).vectors).all()
    assert len(file.voices["Anna"].vectors) == MOST_VECTORS


def test_there_is_room_for_a_house_and_not_for_a_town() -> None:
    file = VoiceFile(SHA256, {f"v{number}": made(1) for number in range(MOST_VOICES)})
    assert len(file.with_voice("v0", made(1, 1)).voices["v0"].vectors) == 2
    with pytest.raises(InputError, match="remove one"):
        file.with_voice("another", made(1))


def test_a_voice_is_taken_out(house) -> None:
    with pytest.raises(InputError, match="known: rms, slt"):
        remove(house, "awb")
    assert [*remove(house, "rms").voices] == ["slt"]
    assert b"rms" not in house.read_bytes()
    remove(house, "slt")
    assert not VoiceFile.read(house).voices


@pytest.mark.parametrize("name", ["", "  ", " Anna", "An\nna", "\x1b[2J", "x" * 41, None, 7])
def test_what_is_no_name_is_none(name) -> None:
    with pytest.raises(InputError, match="no name of a voice"):
        checked_name(name)


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda body: body["voices"][0].update(name="Mallory"), "changed by hand"),
        (lambda body: body.update(kind="letters"), "no file of voices"),
        (lambda body: body.update(format=2), "update turbo_stream"),
    ],
)
def test_what_was_changed_is_refused(house, spoil, word) -> None:
    body = json.loads(house.read_text())
    spoil(body)
    house.write_text(json.dumps(body))
    with pytest.raises(InputError, match=word):
        VoiceFile.read(house)


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b'{"kind": "turbo-stream voices"', b"0"])
def test_what_is_no_such_file_is_refused(tmp_path, content: bytes) -> None:
    path = tmp_path / "voices.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="no file of voices"):
        VoiceFile.read(path)
    with pytest.raises(InputError, match="voice add"):
        VoiceFile.read(tmp_path / "none.json")


def test_vectors_of_another_encoder_say_nothing(tmp_path) -> None:
    path = tmp_path / "voices.json"
    VoiceFile("0" * 64, {"Anna": made(3)}).write(path)
    with pytest.raises(InputError, match="voice encoder 00000000"):
        change(path, {"Jo": made(3)}, SHA256)


def test_numbers_that_are_no_vector_are_refused(tmp_path) -> None:
    path = tmp_path / "voices.json"
    short = Voice(np.full((3, 256), 0.5, np.float32), TODAY)
    for vectors in (short.vectors, np.full((3, 256), np.nan, np.float32), np.ones((3, 4), "f")):
        VoiceFile(SHA256, {"Anna": Voice(vectors, TODAY)}).write(path)
        with pytest.raises(InputError, match="holds what no version writes"):
            VoiceFile.read(path)
