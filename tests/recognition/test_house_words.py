"""Words of the house reach the recognizer, which takes them where the sound fits."""

import numpy as np
import pytest

from tests.recognition.test_pocketsphinx_told import NAME, spoken
from turbo_stream.addressing.house_words import HouseWords
from turbo_stream.pipeline import Models
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.recognizer import NoRecognizer, Spoken
from turbo_stream.recognition.whisper import WORD_COSTS, WhisperRecognizer
from turbo_stream.settings import Settings


class Rewording:
    """Offers what a test wants to know the weight of."""

    def __init__(self, *readings: str) -> None:
        self.spoken: Spoken = {}
        self.offered = list(readings)

    def readings(self, text: str) -> list[str]:
        return [reading for reading in self.offered if reading != text]


@pytest.fixture(scope="module")
def said(kitchen_pcm, kitchen_spans) -> np.ndarray:
    span = kitchen_spans[0]
    return kitchen_pcm[int((span["start_s"] - 0.3) * 16_000) : int((span["end_s"] + 0.4) * 16_000)]


def test_what_was_said_weighs_more_than_what_was_not(whisper, said) -> None:
    window = whisper.window.samples(len(said), whisper.reader.longest)
    states = whisper.reader.encode(whisper.reader.features(said, window))
    text = whisper.transcribe(said).text
    true, other = (
        whisper.reader.weigh(states, one, len(said) // 160)
        for one in (text, text.replace("kitchen", "bedroom"))
    )
    assert "kitchen" in text
    assert true - other > 2 * WORD_COSTS and -WORD_COSTS < true < 0


def test_a_text_that_fits_as_well_is_taken_and_another_is_not(
    whisper_folder, whisper, said
) -> None:
    text = whisper.transcribe(said).text
    wrong, right = text.replace("kitchen", "bedroom"), text.rstrip(".?!")
    for offered, expected in (([wrong], text), ([wrong, right], right)):
        told = WhisperRecognizer(whisper_folder, words=Rewording(*offered))
        assert told.transcribe(said).text == expected
        assert told.transcribe_while(said, lambda: True).text == expected


def test_it_is_given_up_between_two_readings(whisper_folder, said) -> None:
    told = WhisperRecognizer(whisper_folder, words=Rewording("One.", "Two.", "Three."))
    answers = iter([True, True, True, False])
    assert told.transcribe_while(said, lambda: next(answers)) is None


@pytest.mark.slow
@pytest.mark.parametrize("own_process", [True, False])
def test_pocketsphinx_knows_a_word_for_good(own_process: bool) -> None:
    from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer, SphinxConfig

    config = SphinxConfig(word_weight=30.0)  # beside "friday", which sounds the same
    recognizer = PocketSphinxRecognizer(config=config, own_process=own_process, words=NAME)
    assert recognizer.transcribe(spoken(1.0, 3.8)).text == "Frydae turn on the kitchen lights"
    names = {"Nimbo": [("N", "IH", "M", "B", "OW")]}
    told = recognizer.transcribe_expecting(spoken(1.0, 3.8), names, lambda: True)
    assert told.text == "Frydae turn on the kitchen lights"
    recognizer.close()


def test_the_setting_reaches_whisper(whisper_folder) -> None:
    words = HouseWords(["Quillow"])
    told = load_recognizer(str(whisper_folder), words=words, say=pytest.fail)
    assert isinstance(told, WhisperRecognizer) and told.words is words
    models = Models.load(Settings(asr=str(whisper_folder), words=["Quillow", "scullery"]))
    assert models.recognizer.words.words == ("Quillow", "scullery")


def test_a_recognizer_of_ones_own_is_said_not_to_be_told() -> None:
    said: list[str] = []
    Models.load(Settings(asr=NoRecognizer(), words="Quillow"), say=said.append)
    assert "recognizer: one of your own is not told `words`" in said
