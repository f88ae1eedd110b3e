"""Whose an utterance was, by what the file says now."""

import logging

import numpy as np
import pytest

from turbo_stream.errors import InputError
from turbo_stream.voices.known import KnownVoices
from turbo_stream.voices.matching import NOBODY, match, threshold
from turbo_stream.voices.voice_file import Voice, remove


def test_a_known_voice_is_named_and_another_is_nobodys(house, spoken) -> None:
    known = KnownVoices(house)
    assert known.names == ("rms", "slt")
    for name in known.names:
        found = known.whose(spoken[name][0])  # not among what the file was made of
        assert found.name == name and found.score >= threshold(1)
    for pcm in spoken["awb"]:
        found = known.whose(pcm)
        assert found.name is None and 0 < found.score < threshold(1)


def test_the_score_is_the_cosine_to_the_mean_and_the_nearest_counts() -> None:
    east, north = np.eye(256, dtype=np.float32)[:2]
    voices = {"east": Voice(east[None], ""), "both": Voice(np.stack([east, north]), "")}
    assert match(east, voices, 2).name == "east"
    assert match(east, voices, 2).score == pytest.approx(1)
    assert match(None, voices, 2) == match(east, {}, 2) == NOBODY
    both = {"both": voices["both"]}
    assert match(east, both, 2).score == pytest.approx(0.7071, abs=1e-4)
    # Of a word less likeness is asked, for there is less of it to be had.
    assert match(east, both, 2).name is None and match(east, both, 0.6).name == "both"
    assert threshold(0.1) == threshold(0.5) < threshold(1) < threshold(2) == threshold(60)


def test_who_is_taken_out_is_unknown_at_once(house, spoken, encoder) -> None:
    known = KnownVoices(house, encoder)
    assert known.whose(spoken["rms"][0]).name == "rms"
    remove(house, "rms")
    assert known.whose(spoken["rms"][0]).name is None
    assert known.whose(spoken["slt"][0]).name == "slt"
    house.unlink()
    assert known.whose(spoken["slt"][0]) == NOBODY and known.names == ()


def test_a_file_that_is_damaged_later_knows_nobody(house, spoken, encoder, caplog) -> None:
    known = KnownVoices(house, encoder)
    house.write_text("{")
    with caplog.at_level(logging.WARNING):
        assert known.whose(spoken["slt"][0]) == NOBODY
        assert known.whose(spoken["slt"][0]) == NOBODY
    assert caplog.text.count("no voice is known any more") == 1


def test_an_encoder_that_fails_names_nobody(house, spoken, caplog) -> None:
    class Broken:
        def vector(self, pcm):
            raise RuntimeError("quotes what was said")

    assert KnownVoices(house, Broken()).whose(spoken["slt"][0]) == NOBODY
    assert "RuntimeError" in caplog.text and "quotes" not in caplog.text


def test_a_file_that_is_not_there_is_told_at_the_start(tmp_path) -> None:
    with pytest.raises(InputError, match="turbo-tune voice add NAME"):
        KnownVoices(tmp_path / "voices.json")
