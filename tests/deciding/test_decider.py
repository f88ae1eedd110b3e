"""One utterance: what is decided, what is said, and what is not."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from turbo_stream._util.probability import shifted
from turbo_stream.deciding.decider import Decider, safe_sound_reject
from turbo_stream.deciding.scored import Hearing
from turbo_stream.events import Utterance
from turbo_stream.recognition.recognizer import NoRecognizer, Transcript
from turbo_stream.segmentation.segment import PauseScore, Segment

SEGMENT = Segment(
    id=3,
    start_sample=16_000,
    end_sample=48_000,
    endpoint_sample=56_000,
    pcm=np.ones(40_000, np.int16),
)


def decide(probability: float, **options):
    detector = LoudnessDetector(always=probability)
    return Decider(ScriptedRecognizer(), detector, 0.5, **options).decide(SEGMENT)


def test_accepted_speech_carries_its_text() -> None:
    event = decide(0.9)
    assert (event.decision, event.reason, event.text) == ("accepted", None, "turn on the lights")
    assert (event.start_s, event.end_s) == (1.0, 3.0)
    assert event.asr == {
        "backend": "scripted",
        "avg_logprob": -0.3,
        "no_speech_prob": 0.0,
        "compression_ratio": 1.0,
    }
    assert set(event.latency_ms) == {"endpoint_to_decision", "asr", "turbo"}


def test_a_probability_at_the_threshold_is_accepted() -> None:
    assert decide(0.5).decision == "accepted"
    assert decide(np.nextafter(0.5, 0)).decision == "rejected"


def test_rejected_speech_carries_no_text_unless_asked_for() -> None:
    assert decide(0.1).text is None
    assert decide(0.1).reason == "not_directed"
    assert decide(0.1, show_rejected=True).text == "turn on the lights"


def test_of_rejected_speech_the_event_is_the_same_whatever_was_said() -> None:
    said = ["turn on the lights", "my secret is a long one, and I tell it to you alone"]
    events = [
        Decider(ScriptedRecognizer(text=text), LoudnessDetector(always=0.1), 0.5).decide(SEGMENT)
        for text in said
    ]
    first, second = (replace(event, latency_ms={}).to_json() for event in events)
    assert first == second and first["evidence"] == "content"


def test_a_failing_recognizer_leaves_the_decision_to_the_sound(caplog) -> None:
    detector = LoudnessDetector(always=0.9)
    recognizer = ScriptedRecognizer(error=RuntimeError("the secret words"))
    with caplog.at_level(logging.DEBUG):
        event = Decider(recognizer, detector, 0.5).decide(SEGMENT)
    assert (event.decision, event.degraded, event.text) == ("accepted", ("asr_failed",), "")
    assert detector.heard[0].confidence is None
    assert "secret" not in caplog.text and "RuntimeError" in caplog.text


def test_a_failing_detector_drops_with_a_reason() -> None:
    detector = LoudnessDetector(error=ValueError("broken"))
    event = Decider(ScriptedRecognizer(), detector, 0.5).decide(SEGMENT)
    assert (event.decision, event.reason) == ("dropped", "error")
    assert event.text is None and event.directed_probability is None


def heard(text: str, **options) -> Utterance:
    """Return the decision on a sound that is surely directed, and of which `text` was heard."""
    return Decider(
        ScriptedRecognizer(text=text), LoudnessDetector(always=0.9), 0.5, **options
    ).decide(SEGMENT)


@pytest.mark.parametrize(
    ("text", "decision"),
    [("banana banana banana", "accepted"), ("the the", "accepted"), ("", "rejected")],
)
def test_8_empty_or_wrong_text_never_stops_a_decision(text: str, decision: str) -> None:
    event = heard(text)
    assert event.decision == decision
    json.dumps(event.to_json(), allow_nan=False)


@pytest.mark.parametrize("text", ["", " ", "...", "\x00", "[BLANK_AUDIO]", "(wind) *sighs*", "♪♪"])
@pytest.mark.parametrize("shown", [False, True])
def test_what_holds_no_word_is_never_accepted(text: str, shown: bool) -> None:
    event = heard(text, show_rejected=shown)
    assert (event.decision, event.reason, event.evidence) == (
        "rejected",
        "not_directed",
        "no_words",
    )
    assert event.text == (text if shown else None)
    assert event.directed_probability == 0.0, "no threshold accepts it, in evaluation either"
    everything = Decider(ScriptedRecognizer(text=text), LoudnessDetector(always=0.9), 0.0)
    follow_up = everything.decide(SEGMENT, follow_up_log_odds=9.0)
    assert (follow_up.decision, follow_up.evidence) == ("rejected", "no_words")


@pytest.mark.parametrize("text", ["Stop.", "7", "(the) lights", "(music) turn it up", "関灯"])
def test_whatever_is_a_word_is_heard(text: str) -> None:
    event = heard(text)
    assert (event.decision, event.evidence, event.text) == ("accepted", "content", text)


class Unsure(ScriptedRecognizer):
    """Hears something that is not to be believed."""

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        return replace(super().transcribe(pcm), known=False, guard="repeats")


@pytest.mark.parametrize("recognizer", [NoRecognizer(), Unsure(), Unsure(text="")])
def test_where_nothing_is_known_of_the_words_the_sound_decides(recognizer) -> None:
    yes = Decider(recognizer, LoudnessDetector(always=0.9), 0.5).decide(SEGMENT)
    assert (yes.decision, yes.evidence) == ("accepted", "sound")
    no = Decider(recognizer, LoudnessDetector(always=0.1), 0.5).decide(SEGMENT)
    assert (no.decision, no.evidence, no.text) == ("rejected", "sound", None)


@pytest.mark.parametrize("step", ["asr_late", "asr_failed", "asr_skipped"])
def test_a_text_that_did_not_come_proves_nothing(step: str) -> None:
    decider = Decider(ScriptedRecognizer(), LoudnessDetector(always=0.9), 0.5)
    scored = decider.score_heard(SEGMENT, Hearing.without_text(step))
    event = decider.decide(SEGMENT, scored)
    assert (event.decision, event.evidence, event.degraded) == ("accepted", "sound", (step,))


def test_words_decide_and_their_absence_is_told_apart() -> None:
    assert [decide(p).evidence for p in (0.9, 0.1)] == ["content", "content"]
    dropped = Decider(ScriptedRecognizer(), LoudnessDetector(error=ValueError()), 0.5)
    assert dropped.decide(SEGMENT).evidence is None


@pytest.mark.parametrize(
    ("score", "log_odds", "outcome"),
    [
        (0.4, 1.0, ("accepted", "follow_up")),
        (0.4, 0.1, ("rejected", "content")),
        (0.9, 1.0, ("accepted", "content")),
        (0.6, -1.0, ("rejected", "follow_up")),
    ],
)
def test_what_turned_a_decision_is_named(score: float, log_odds: float, outcome) -> None:
    decider = Decider(ScriptedRecognizer(), LoudnessDetector(always=score), 0.5)
    event = decider.decide(SEGMENT, follow_up_log_odds=log_odds)
    assert (event.decision, event.evidence) == outcome


class BySound:
    """Says the same of every sound, or fails."""

    def __init__(self, directed: float | None, error: Exception | None = None) -> None:
        self.directed, self.error, self.asked = directed, error, 0

    def score_pause(self, pcm: np.ndarray) -> PauseScore:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return PauseScore(None, self.directed)

    def warm_up(self) -> None:
        return None


def by_sound(judge: BySound, segment: Segment = SEGMENT, **options):
    recognizer, detector = ScriptedRecognizer(), LoudnessDetector(always=0.9)
    decider = Decider(recognizer, detector, 0.5, sound_scorer=judge, **options)
    return decider.decide(segment), recognizer.calls


def test_what_the_sound_alone_rejects_never_becomes_a_text() -> None:
    event, calls = by_sound(BySound(0.04), sound_reject=0.05)
    assert calls == 0
    assert (event.decision, event.reason, event.text) == ("rejected", "not_directed", None)
    assert event.directed_probability == 0.04
    skipped = {"backend": "scripted", "skipped": "rejected_by_sound", "known": False}
    assert event.asr == skipped
    assert event.evidence == "sound"


def test_at_the_bound_and_without_one_a_text_is_made() -> None:
    assert by_sound(BySound(0.05), sound_reject=0.05)[1] == 1
    judge = BySound(0.0)
    assert by_sound(judge)[1] == 1 and judge.asked == 0


def test_what_was_judged_at_the_pause_is_not_judged_again() -> None:
    judge = BySound(0.9)
    paused = replace(SEGMENT, pause=PauseScore(0.5, 0.01))
    event, calls = by_sound(judge, paused, sound_reject=0.05)
    assert (calls, judge.asked, event.directed_probability) == (0, 0, 0.01)
    elsewhere = replace(SEGMENT, pause=PauseScore(0.5, None))
    assert by_sound(judge, elsewhere, sound_reject=0.05)[1] == 1 and judge.asked == 1


def test_where_rejected_speech_is_shown_its_text_changes_nothing() -> None:
    event, calls = by_sound(BySound(0.04), sound_reject=0.05, show_rejected=True)
    assert (calls, event.text, event.decision) == (1, "turn on the lights", "rejected")
    assert event.evidence == "sound"
    assert event.directed_probability == 0.04


def test_a_judge_that_fails_rejects_nothing(caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        event, calls = by_sound(BySound(None, RuntimeError("secret words")), sound_reject=0.05)
    assert (calls, event.decision) == (1, "accepted")
    assert "secret" not in caplog.text


PROBABILITY = st.just(0.0) | st.floats(1e-9, 1)


@given(st.floats(0, 0.999), PROBABILITY, st.floats(0, 5), PROBABILITY)
def test_nothing_without_a_text_is_ever_accepted(asked, threshold, log_odds, probability) -> None:
    bound = safe_sound_reject(asked, threshold=threshold, log_odds=log_odds)
    assert bound <= asked
    if probability < bound * (1 - 1e-9):  # a rounding apart it may be
        assert shifted(probability, log_odds) < threshold


def test_what_is_no_longer_wanted_is_not_judged() -> None:
    decider = Decider(ScriptedRecognizer(), LoudnessDetector(always=0.9), 0.5)
    assert decider.score(SEGMENT, lambda: False) is None
    assert decider.score(SEGMENT, lambda: True) is not None
