"""What a name was taught: found like the name itself, in files that are looked at closely."""

import json
from pathlib import Path

import pytest

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from turbo_stream import Models, Settings
from turbo_stream.addressing.name_search import NameMatch, NameSearch
from turbo_stream.addressing.taught import TaughtName
from turbo_stream.errors import InputError

CHEVRON = ("SH", "EH", "V", "R", "AH", "N")
SIOBHAN = TaughtName("Siobhan", "scripted", (CHEVRON,))
GOOD = {"version": 1, "name": "Siobhan", "asr": "x", "pronunciations": [list(CHEVRON)]}


def test_what_was_taught_is_found_as_the_name() -> None:
    words = ["chevron", "stop"]
    assert NameSearch(["siobhan"]).find(words) is None
    assert NameSearch(["siobhan"], taught=[SIOBHAN]).find(words) == NameMatch("siobhan", 0, 1, 0.0)
    assert NameSearch(["friday"], taught=[SIOBHAN]).find(words) is None


def test_a_file_comes_back_as_it_was(tmp_path: Path) -> None:
    SIOBHAN.write(tmp_path / "s.json")
    assert TaughtName.read(tmp_path / "s.json") == SIOBHAN


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\x80\x04K\x01.",
        b"[" * 100_000,
        b" " * 100_000,
        *(
            json.dumps({**GOOD, **change}).encode()
            for change in (
                {"version": 2},
                {"version": True},
                {"name": ""},
                {"name": 3},
                {"asr": None},
                {"more": 1},
                {"pronunciations": "AH"},
                {"pronunciations": [list(CHEVRON)] * 51},
                {"pronunciations": [[]]},
                {"pronunciations": [["AH", "AH", "AH"]]},
                {"pronunciations": [["AH"] * 41]},
                {"pronunciations": [["AH", "AH", "AH", "?"]]},
                {"pronunciations": [["AH", "AH", "AH", "XX"]]},
                {"pronunciations": [["AH", "AH", "AH", ["AH"]]]},
                {"pronunciations": ["AHAHAHAH"]},
            )
        ),
    ],
)
def test_nonsense_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"`taught` .*s\.json is no file of turbo-tune name"):
        TaughtName.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        TaughtName.read(tmp_path / "none.json")


def test_streams_are_given_what_was_taught(tmp_path: Path) -> None:
    SIOBHAN.write(tmp_path / "s.json")
    told: list[str] = []
    settings = Settings(
        asr=ScriptedRecognizer(), names=("siobhan",), taught=tmp_path / "s.json", turn_model="none"
    )
    models = Models.load(settings, detector=LoudnessDetector(), say=told.append)
    assert not any("taught" in line for line in told)
    search = models.stream().decider.addressing.names
    assert search is not None
    assert search.find(["chevron"]) is not None
    assert settings.to_json()["taught"] == [str(tmp_path / "s.json")]


def test_another_recognizer_is_told(tmp_path: Path) -> None:
    TaughtName("Siobhan", "pocketsphinx", (CHEVRON,)).write(tmp_path / "s.json")
    told: list[str] = []
    settings = Settings(asr=ScriptedRecognizer(), taught=tmp_path / "s.json", turn_model="none")
    Models.load(settings, detector=LoudnessDetector(), say=told.append)
    assert any("taught to pocketsphinx, and scripted listens" in line for line in told)
