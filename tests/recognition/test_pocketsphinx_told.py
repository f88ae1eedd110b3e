"""PocketSphinx is told a name: it hears it, and forgets it with the answer."""

import numpy as np
import pytest
import soundfile

from tests.support.paths import ROOT
from turbo_stream.deciding.second_reading import can_expect
from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer
from turbo_stream.serving.shared_recognizer import SharedRecognizer

pytestmark = pytest.mark.slow

NAME = {"Frydae": [("F", "R", "AY", "D", "EY"), ("F", "R", "AY", "D", "IY")]}
"""A word of no dictionary."""


def always() -> bool:
    return True


@pytest.fixture(scope="module")
def calls() -> np.ndarray:
    """ "Friday, turn on the kitchen lights." """
    return spoken(1.0, 3.8)


def spoken(start_s: float, end_s: float) -> np.ndarray:
    start, stop = round(start_s * 16_000), round(end_s * 16_000)
    path = ROOT / "examples" / "friday.flac"
    return soundfile.read(path, stop - start, start, dtype="int16")[0]


@pytest.mark.parametrize("own_process", [True, False])
def test_a_name_that_is_told_is_heard_and_forgotten(calls, own_process: bool) -> None:
    recognizer = PocketSphinxRecognizer(own_process=own_process)
    assert can_expect(recognizer) and can_expect(SharedRecognizer(recognizer))
    plain = recognizer.transcribe(calls)
    assert plain.text == "friday turn on the kitchen lights"
    names = {"Nimbo": [("N", "IH", "M", "B", "OW")], "?": [], **NAME}
    told = recognizer.transcribe_expecting(calls, names, always)
    assert told.text == "Frydae turn on the kitchen lights" and told.confidence is not None
    assert recognizer.transcribe(calls) == plain
    recognizer.close()


def test_where_nobody_calls_the_name_is_not_made_up() -> None:
    talk = spoken(4.9, 7.0)  # "And the radio, please."
    recognizer = PocketSphinxRecognizer()
    told = recognizer.transcribe_expecting(talk, NAME, always)
    assert told == recognizer.transcribe(talk)


def test_what_is_told_is_not_waited_for_where_nobody_wants_it(calls) -> None:
    recognizer = PocketSphinxRecognizer()
    recognizer.warm_up()
    assert recognizer.transcribe_expecting(np.tile(calls, 3), NAME, lambda: False) is None
    assert recognizer.transcribe(calls).text == "friday turn on the kitchen lights"
