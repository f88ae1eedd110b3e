"""Partial texts: of whom they are made, how often, and when they are given up."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector
from turbo_stream import Partial, Transcript
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.deciding.decider import Decider
from turbo_stream.live._partials import Partials, PartialsConfig
from turbo_stream.live.scoring_thread import ScoringThread, Speculation
from turbo_stream.segmentation.segment import PauseScore, Segment

WORDS = ["turn", "on", "the", "lights", "in", "the", "kitchen"]


class Growing:
    """Hears a word for every half second."""

    name = "growing"

    def __init__(self) -> None:
        self.calls = 0

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        self.calls += 1
        return Transcript(" ".join(WORDS[: 2 * len(pcm) // SAMPLE_RATE]))

    def warm_up(self) -> None:
        return None


@dataclass
class Sound:
    """Says the same of every sound."""

    directed: float
    asked: int = 0

    def score_pause(self, pcm: np.ndarray) -> PauseScore:
        self.asked += 1
        return PauseScore(None, self.directed)

    def warm_up(self) -> None:
        return None


@dataclass
class Listener:
    """Plays the part of the live shell: an utterance that grows by 100 ms at a time."""

    by_sound: float = 0.9
    with_text: float = 0.95
    show_rejected: bool = False
    said: list[Partial] = field(default_factory=list)
    recognizer: Growing = field(default_factory=Growing)
    config: PartialsConfig = PartialsConfig(busy_share=1e6)
    """A machine that takes no time, however busy the one that runs the test is."""

    def speak(self, seconds: float) -> list[Partial]:
        self.sound = Sound(self.by_sound)
        decider = Decider(
            self.recognizer,
            LoudnessDetector(always=self.with_text),
            0.5,
            show_rejected=self.show_rejected,
            sound_scorer=self.sound,
        )
        thread = ScoringThread(decider, 5.0, Speculation())
        partials = Partials(decider, thread, self.said.append, self.config)
        for now in range(1600, round(seconds * SAMPLE_RATE) + 1, 1600):
            spoken = Segment(7, 0, now, now, np.zeros(now, np.int16))
            while partials.due(7, 0, now):  # the thread may still be at what it did last
                partials.hear(spoken)
            # It is done: the clock of this stream is that of its samples.
            while not thread.listen_in(spoken, _nothing):
                pass
        thread.close()
        return self.said


def _nothing(go_on) -> None:
    return None


def test_the_text_grows_and_what_is_stable_stays() -> None:
    said = Listener().speak(3.5)
    assert len(said) >= 4 and {partial.id for partial in said} == {7}
    assert said[-1].text.startswith("turn on the lights")
    for before, after in zip(said, said[1:], strict=False):
        assert after.text.startswith(before.text[: before.stable])
        assert after.stable >= before.stable
    assert said[-1].stable > 0


def test_no_text_is_made_of_what_the_sound_alone_does_not_accept() -> None:
    listener = Listener(by_sound=0.3)
    assert listener.speak(3.0) == [] and listener.recognizer.calls == 0


def test_a_text_that_speaks_against_it_is_not_shown() -> None:
    listener = Listener(with_text=0.85)  # a verdict would accept that
    assert listener.speak(3.0) == [] and listener.recognizer.calls > 1


@pytest.mark.parametrize("hopeless", [{"by_sound": 0.01}, {"with_text": 0.01}])
def test_what_is_beyond_hope_twice_is_given_up(hopeless: dict[str, float]) -> None:
    listener = Listener(**hopeless)
    assert listener.speak(5.0) == []
    assert listener.sound.asked == 2


def test_where_rejected_speech_is_shown_its_text_is_made() -> None:
    listener = Listener(by_sound=0.0, with_text=0.0, show_rejected=True)
    assert listener.speak(3.0) and listener.sound.asked == 0


def test_there_is_none_before_enough_was_said_and_then_one_in_a_while() -> None:
    listener = Listener(config=PartialsConfig(first_after_ms=1000, every_ms=500, busy_share=1e6))
    listener.speak(0.9)
    assert listener.recognizer.calls == 0
    listener.speak(3.0)
    assert listener.recognizer.calls == 5


def test_a_slow_machine_makes_fewer() -> None:
    quick, slow = Listener(), Listener(config=PartialsConfig(busy_share=1e-6))
    quick.speak(4.0)
    slow.speak(4.0)
    assert slow.recognizer.calls == 1 < quick.recognizer.calls


@pytest.mark.parametrize(
    "heard", [Transcript("..."), Transcript("[wind]"), Transcript("turn on", known=False)]
)
def test_what_holds_no_word_or_is_not_believed_is_no_text_to_show(heard: Transcript) -> None:
    listener = Listener(by_sound=0.99, show_rejected=True)
    listener.recognizer.transcribe = lambda pcm: heard
    assert listener.speak(3.0) == []
