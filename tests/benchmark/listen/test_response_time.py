"""What a person waits for: added up right, and never without what was cut, merged or missed."""

from collections import Counter

import numpy as np
import pytest

from turbo_stream.benchmark.listen._response_time import latency, outcome
from turbo_stream.benchmark.listen.timed_decisions import Heard
from turbo_stream.benchmark.report import distribution
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.evaluation.corpus.spans import Span
from turbo_stream.events import Utterance

SPANS = tuple(
    Span(start, end, "directed") for start, end in ((1, 3), (5, 7), (9, 11), (12, 14), (17, 18))
)


def utterance(start_s: float, end_s: float, decision="accepted", work_ms=5.0, **more) -> Utterance:
    return Utterance(
        id=0,
        start_s=start_s,
        end_s=end_s,
        decision=decision,
        reason="too_short" if decision == "dropped" else None,
        degraded=(),
        directed_probability=0.9,
        threshold=0.5,
        text=None,
        asr={"backend": "none", **more},
        latency_ms={"endpoint_to_decision": work_ms, "turbo": work_ms},
    )


def heard(*told: tuple[Utterance, float], spans=SPANS) -> Heard:
    one = Heard(Stream("made", np.zeros(20 * 16_000, np.int16), spans))
    for event, at_s in told:
        one.add(event, at_s)
    return one


def test_the_wait_is_end_silence_and_work() -> None:
    found = outcome([heard((utterance(1, 3, work_ms=40), 3.7))])
    (delay,) = found.delays
    assert delay.response_ms == pytest.approx(700)
    assert delay.work_ms == pytest.approx(40)
    assert delay.end_silence_ms == pytest.approx(660)


def test_the_true_end_counts_not_the_one_that_was_found() -> None:
    (delay,) = outcome([heard((utterance(1, 2.6), 3.5))]).delays
    assert delay.response_ms == pytest.approx(500)
    (unknown,) = outcome([heard((utterance(1, 2.6), 3.5), spans=None)]).delays
    assert unknown.response_ms == pytest.approx(900)


def test_every_known_utterance_has_one_fate() -> None:
    one = heard(
        (utterance(1, 3), 3.6),  # whole
        (utterance(5, 5.8), 6.4),  # cut: decided before its end
        (utterance(9, 14), 14.6),  # two at once
        (utterance(15, 15.5), 16.0),  # nobody is known to speak
        (utterance(17, 18, "dropped"), 18.5),  # missed
    )
    found = outcome([one])
    assert (found.whole, found.cut, found.merged, found.missed) == (1, 1, 2, 1)
    assert found.utterances == 5 and found.outside == 1
    assert len(found.delays) == found.whole
    assert one.dropped == Counter({"too_short": 1})


def test_an_utterance_in_two_parts_is_cut_and_has_no_delay() -> None:
    found = outcome([heard((utterance(1, 1.8), 2.4), (utterance(2.5, 3), 3.6))])
    assert (found.cut, found.whole, found.missed, found.delays) == (1, 0, 4, ())


def test_streams_are_added_up_and_unknown_ends_are_not_counted_as_known() -> None:
    known = heard((utterance(1, 3), 3.6), (utterance(5, 7, skipped="rejected_by_sound"), 7.6))
    unknown = heard((utterance(1, 2), 2.7), spans=None)
    both = latency([known, unknown])
    assert (both["utterances"], both["whole"], both["missed"]) == (5, 2, 3)
    assert both["response_ms"]["n"] == both["decided"] == 3
    assert both["texts_saved"] == pytest.approx(1 / 3)
    assert len(both["delays_ms"]) == 3
    alone = latency([unknown])
    assert alone["utterances"] is None and alone["cut"] is None and alone["response_ms"]["n"] == 1


def test_nothing_heard_is_no_number() -> None:
    none = latency([heard(spans=())])
    assert none["response_ms"] == {"n": 0, "p50": None, "p95": None, "p99": None, "max": None}
    assert none["utterances"] == 0 and none["texts_saved"] is None


def test_percentiles_are_those_of_the_values() -> None:
    found = distribution([float(value) for value in range(101)])
    assert found == {"n": 101, "p50": 50.0, "p95": 95.0, "p99": 99.0, "max": 100.0}
