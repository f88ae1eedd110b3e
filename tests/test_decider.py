"""One utterance: what is decided, what is said, and what is not."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from fakes import LoudnessDetector, ScriptedRecognizer

from turbo_stream.decider import Decider
from turbo_stream.segmentation.segment import Segment

SEGMENT = Segment(
    id=3,
    start_sample=16_000,
    end_sample=48_000,
    endpoint_sample=56_000,
    pcm=np.ones(40_000, np.int16),
)


def decide(probability: float, **options):
    detector = LoudnessDetector(always=probability)
    return Decider(ScriptedRecognizer(), detector, **options).decide(SEGMENT)


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


def test_a_failing_recognizer_leaves_the_decision_to_the_sound(caplog) -> None:
    detector = LoudnessDetector(always=0.9)
    recognizer = ScriptedRecognizer(error=RuntimeError("the secret words"))
    with caplog.at_level(logging.DEBUG):
        event = Decider(recognizer, detector).decide(SEGMENT)
    assert (event.decision, event.degraded, event.text) == ("accepted", ("asr_failed",), "")
    assert detector.heard[0].confidence is None
    assert "secret" not in caplog.text and "RuntimeError" in caplog.text


def test_a_failing_detector_drops_with_a_reason() -> None:
    detector = LoudnessDetector(error=ValueError("broken"))
    event = Decider(ScriptedRecognizer(), detector).decide(SEGMENT)
    assert (event.decision, event.reason) == ("dropped", "error")
    assert event.text is None and event.directed_probability is None


@pytest.mark.parametrize("text", ["", "banana banana banana", "the the", "\x00"])
def test_8_empty_or_wrong_text_never_stops_a_decision(text: str) -> None:
    event = Decider(ScriptedRecognizer(text=text), LoudnessDetector(always=0.9)).decide(SEGMENT)
    assert event.decision == "accepted"
    json.dumps(event.to_json(), allow_nan=False)
