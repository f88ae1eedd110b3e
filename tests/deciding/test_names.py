"""A device with a name: what calls it is accepted, and what does not is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from turbo_stream.addressing.address import Addressing
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.second_reading import can_expect
from turbo_stream.events import Utterance
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.segmentation.segment import Segment


@dataclass
class Expecting(ScriptedRecognizer):
    """Reads `told` once it is told a name."""

    told: str = ""
    expects: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def transcribe_expecting(
        self, pcm: np.ndarray, names: Sequence[str], go_on: Callable[[], bool]
    ) -> Transcript | None:
        self.asked.append(tuple(names))
        return Transcript(self.told)


def segment(start_s: float, lasts_s: float = 1.0) -> Segment:
    start, end = round(start_s * 16_000), round((start_s + lasts_s) * 16_000)
    return Segment(0, start, end, end + 8000, np.ones(end - start, np.int16))


def decide(
    text: str, score: float, mode: str = "named", *, recognizer: ScriptedRecognizer | None = None
) -> Utterance:
    recognizer = recognizer or ScriptedRecognizer(text=text)
    device = Addressing.of(mode, ["Friday"], 8, reads_again=can_expect(recognizer))
    return Decider(recognizer, LoudnessDetector(always=score), 0.5, addressing=device).decide(
        segment(0)
    )


@pytest.mark.parametrize(
    ("text", "score", "mode", "decision", "evidence"),
    [
        ("Friday, good night.", 0.2, "named", "accepted", "name"),
        ("Friday, good night.", 0.9, "named", "accepted", "name"),
        ("Friday, good night.", 0.001, "named", "rejected", "content"),
        ("Turn on the light.", 0.9, "named", "rejected", "name"),
        ("Turn on the light.", 1.0, "named", "rejected", "name"),
        ("Turn on the light.", 0.2, "named", "rejected", "content"),
        ("I told Friday to stop.", 0.99, "named", "rejected", "name"),
        ("Turn on the light.", 0.9, "named-or-sure", "rejected", "name"),
        ("Turn on the light.", 0.999, "named-or-sure", "accepted", "content"),
        ("Turn on the light.", 0.9, "open", "accepted", "content"),
        ("I told Friday to stop.", 0.6, "open", "rejected", "name"),
        ("", 0.9, "named", "rejected", "no_words"),
    ],
)
def test_the_name_decides(text, score, mode, decision, evidence) -> None:
    event = decide(text, score, mode)
    assert (event.decision, event.evidence) == (decision, evidence)
    assert (event.directed_probability >= event.threshold) == (decision == "accepted")


@given(st.floats(0, 1), st.sampled_from(["Turn on the light.", "We met on Friday."]))
def test_no_score_makes_up_for_a_name_that_is_not_called(score: float, text: str) -> None:
    assert decide(text, score).decision == "rejected"


def test_of_rejected_speech_nothing_tells_which_name_was_mentioned() -> None:
    said = ["Turn on the light.", "I told Friday to stop.", "On Friday, then."]
    events = [replace(decide(text, 0.9), latency_ms={}).to_json() for text in said]
    assert events[0] == events[1] == events[2]


def test_follow_ups_need_no_name_while_the_conversation_lasts() -> None:
    recognizer = ScriptedRecognizer(text="Turn on the light.")
    device = Addressing.of("named", ["Friday"], 8, reads_again=False)
    decider = Decider(recognizer, LoudnessDetector(always=0.9), 0.5, addressing=device)

    def decided(text: str, start_s: float) -> tuple[str, str | None]:
        recognizer.text = text
        event = decider.decide(segment(start_s))
        return event.decision, event.evidence

    assert decided("Turn on the light.", 0) == ("rejected", "name")
    assert decided("Friday, turn on the light.", 10) == ("accepted", "name")
    assert decided("And the fan.", 18) == ("accepted", "follow_up")
    assert decided("And the fan.", 26) == ("accepted", "follow_up")
    assert decided("Thanks.", 30) == ("accepted", "follow_up")
    assert decided("And the fan.", 32) == ("rejected", "name")
    assert decided("Friday, stop.", 40) == ("accepted", "name")
    assert decided("And the fan.", 50) == ("rejected", "name")


@pytest.mark.parametrize(
    ("first", "told", "asked", "decision", "text"),
    [
        ("Fried egg, stop.", "Friday stop", True, "accepted", "Friday stop"),
        ("Fried egg, stop.", "Fried egg, stop", True, "rejected", None),
        ("Friday, stop.", "stop", False, "accepted", "Friday, stop."),
        ("Turn on the bathroom lights.", "Friday", False, "rejected", None),
        ("Frida came over.", "I saw Friday come over", True, "rejected", None),
    ],
)
def test_a_doubtful_text_is_read_again_with_the_name(first, told, asked, decision, text) -> None:
    recognizer = Expecting(text=first, told=told)
    event = decide(first, 0.9, recognizer=recognizer)
    assert (event.decision, event.text) == (decision, text)
    assert recognizer.asked == ([("Friday",)] if asked else [])


def test_a_second_reading_that_fails_leaves_the_first(caplog) -> None:
    class Failing(Expecting):
        def transcribe_expecting(self, pcm, names, go_on):
            raise RuntimeError("fried egg")

    event = decide("", 0.9, recognizer=Failing(text="Fried egg, stop."))
    assert event.decision == "rejected"
    assert "RuntimeError" in caplog.text and "egg" not in caplog.text


def test_speech_without_the_name_is_scored_as_if_there_were_none() -> None:
    named, unnamed = LoudnessDetector(always=0.2), LoudnessDetector(always=0.9)
    device = Addressing.of("open", ["Friday"], 8, reads_again=False)
    recognizer = ScriptedRecognizer(text="Turn on the light.")
    decider = Decider(recognizer, named, 0.5, addressing=device, unnamed=unnamed)
    assert decider.decide(segment(0)).directed_probability == 0.9
    recognizer.text = "We met on Friday."
    assert decider.decide(segment(9)).directed_probability < 0.2
