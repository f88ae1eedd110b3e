"""The turn before: what the device said, or what was accepted, for a while; nothing else."""

import gc
import sys
import threading

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fakes import AttentiveDetector, LoudnessDetector, ScriptedRecognizer
from tests.support.fakes import make_pipeline as pipeline_of
from tests.support.streams import untimed
from turbo_stream import InputError, LivePipeline, Pipeline, Transcript, Utterance
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.push import PushSource
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.scored import Hearing
from turbo_stream.deciding.turn_before import MOST_CHARACTERS, TurnBefore
from turbo_stream.segmentation.segment import Segment

WINDOW = 100


def turns(*said: tuple[str, int, bool]) -> TurnBefore:
    found = TurnBefore(WINDOW)
    for text, at_sample, by_device in said:
        found.note(text, at_sample, by_device=by_device)
    return found


@pytest.mark.parametrize(
    ("start", "before"),
    [(9, ""), (10, "a"), (49, "a"), (50, "b"), (60, "c"), (160, "c"), (161, "")],
)
def test_the_last_turn_counts_until_its_window_has_passed(start: int, before: str) -> None:
    # Threads note them in any order.
    assert turns(("c", 60, True), ("a", 10, False), ("b", 50, True)).of(start) == before


@pytest.mark.parametrize("device_first", [True, False])
def test_of_two_at_the_same_time_the_device_answered(device_first: bool) -> None:
    said = [("answer", 10, True), ("question", 10, False)]
    assert turns(*(said if device_first else said[::-1])).of(11) == "answer"
    assert turns(("a", 10, True), ("b", 10, True)).of(11) == "b"


def test_what_has_no_word_is_no_turn_and_of_much_the_end_is_held() -> None:
    assert turns(("a", 1, True), ("", 2, True), (" \n", 3, False)).of(4) == "a"
    assert turns(("x" * 10**7 + "end", 1, True)).of(2) == "x" * (MOST_CHARACTERS - 3) + "end"
    many = turns(*((str(number), number, True) for number in range(10_000)))
    assert many.of(9999) == "9999" and len(many._turns) < 100
    off = TurnBefore(0)
    off.note("a", 1, by_device=True)
    assert off.of(1) == "" and not off._turns


@pytest.mark.parametrize("text", [None, 1, b"done", ["done"]])
def test_what_is_no_text_was_not_said(text) -> None:
    with pytest.raises(InputError, match="give the text that the device says"):
        pipeline_of().said(text)


@given(
    said=st.lists(st.tuples(st.integers(0, 500), st.booleans()), max_size=8),
    starts=st.lists(st.integers(0, 700), max_size=8).map(sorted),
)
def test_what_is_forgotten_was_of_no_use(said, starts) -> None:
    told = [(str(number), *one) for number, one in enumerate(said)]
    kept, forgetful = turns(*told), turns(*told)
    for start in starts:
        forgetful.forget(start)
        assert forgetful.of(start) == kept.of(start)
    forgetful.forget(1000)
    assert not forgetful._turns


def decided(decider: Decider, start: int, **known) -> Utterance:
    segment = Segment(0, start, start + 100, start + 200, np.ones(100, np.int16))
    return decider.decide(segment, **known)


def decider_of(detector: LoudnessDetector, lasts: int = 1000) -> Decider:
    return Decider(ScriptedRecognizer(), detector, 0.5, turns=TurnBefore(lasts))


def test_accepted_speech_is_a_turn_and_rejected_speech_never_is() -> None:
    detector = LoudnessDetector()
    decider = decider_of(detector)
    for number, (score, text) in enumerate([(1.0, "one"), (0.0, "two"), (1.0, ""), (1.0, "four")]):
        detector.always, decider.recognizer.text = score, text
        decided(decider, number * 200)
    assert [heard.before for heard in detector.heard] == ["", "one", "one", "one"]
    assert decider.turns.of(2000) == ""
    assert decider.turns.of(701) == "four"


def test_scored_ahead_of_the_turn_before_it_is_scored_again() -> None:
    detector = AttentiveDetector()
    decider = decider_of(detector)
    segment = Segment(1, 500, 600, 700, np.ones(100, np.int16))
    ahead = decider.score(segment)
    decider.turns.note("shall I", 400, by_device=True)
    late = decider.decide(segment, ahead)
    assert late.directed_probability == decider.decide(segment).directed_probability
    assert late.directed_probability != ahead.score.directed_probability
    assert decider.recognizer.calls == 2 and [h.before for h in detector.heard][1] == "shall I"


def test_without_a_text_a_text_before_changes_nothing_of_it() -> None:
    assert Hearing.without_text().after("").transcript is Hearing.without_text().transcript
    assert Hearing(Transcript("on"), 0.0).after("x").transcript == Transcript("on", before="x")


calm = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
places = st.lists(st.tuples(st.integers(0, 12 * SAMPLE_RATE), st.text(max_size=5)), max_size=6)
cuts = st.lists(st.integers(0, 12 * SAMPLE_RATE), max_size=8)


def attentive(window_s: float = 15.0) -> Pipeline:
    return pipeline_of(detector=AttentiveDetector(), turn_before_s=window_s)


def fed(pipeline: Pipeline, pcm: np.ndarray, said, cuts) -> list:
    """Feed `pcm` in pieces that end at `cuts` and wherever something is said."""
    events, now = [], 0
    # What is said at one place stays in its order.
    stops = [(cut, None) for cut in cuts] + [(at, text) for at, text in said] + [(len(pcm), None)]
    for stop, text in sorted(stops, key=lambda one: one[0]):
        events += pipeline.process(pcm[now:stop])
        now = max(now, min(stop, len(pcm)))
        if text is not None:
            pipeline.said(text)
    return untimed(events + pipeline.flush())


@pytest.mark.slow
@calm
@given(said=places, cuts=cuts, window=st.sampled_from([0.5, 3.0, 15.0]))
def test_chunking_never_changes_a_decision_whatever_is_said(excerpt, said, cuts, window) -> None:
    whole = fed(attentive(window), excerpt, said, [])
    assert fed(attentive(window), excerpt, said, cuts) == whole
    again = attentive(window)
    fed(again, excerpt, said[:1], cuts)
    again.reset()
    assert fed(again, excerpt, said, cuts) == whole


@pytest.fixture(scope="module")
def plain(excerpt) -> list:
    """The events of a stream to which nothing was said."""
    return fed(pipeline_of(), excerpt, [], [])


@pytest.mark.slow
@calm
@given(said=places, cuts=cuts, window_s=st.sampled_from([0.0, 15.0]))
def test_what_nobody_reads_changes_no_event(excerpt, plain, said, cuts, window_s) -> None:
    assert fed(pipeline_of(turn_before_s=window_s), excerpt, said, cuts) == plain


def test_nothing_said_and_nothing_accepted_is_as_it_was(excerpt) -> None:
    detectors = [AttentiveDetector(), LoudnessDetector()]
    events = [
        fed(pipeline_of(detector=one, threshold=1.0, turn_before_s=15.0), excerpt, [], [])
        for one in detectors
    ]
    assert {heard.before for one in detectors for heard in one.heard} == {""}
    assert [len(utterances(one)) for one in events] == [3, 3]


def test_what_is_said_changes_what_follows_it_and_nothing_else(excerpt) -> None:
    silent = utterances(fed(attentive(), excerpt, [], []))
    middle = round(silent[1].start_s * SAMPLE_RATE)
    at = utterances(fed(attentive(), excerpt, [(middle, "Which one?")], []))
    late = utterances(fed(attentive(), excerpt, [(middle + 1, "Which one?")], []))
    assert at[0] == silent[0] and at[1] != silent[1]
    assert late[:2] == silent[:2]


def utterances(events: list) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


@pytest.mark.parametrize("speculate", [True, False])
def test_the_live_shell_decides_as_the_core_does(excerpt, speculate: bool) -> None:
    from turbo_stream.live.live_pipeline import LiveConfig

    said = [(SAMPLE_RATE, "Ready."), (6 * SAMPLE_RATE, "Which one?")]
    expected = utterances(fed(attentive(), excerpt, said, []))
    live, source = attentive(), PushSource(60.0)
    for at_sample, text in said:
        live.said(text, at_sample=at_sample)
    source.push(excerpt)
    source.end()
    config = LiveConfig(speculate=speculate, max_waiting=100, skip_asr_from=100)
    found = utterances(list(LivePipeline(live, source, config).run()))
    assert untimed(found) == expected


def test_anybody_may_say_something_at_any_time(excerpt) -> None:
    live, source = attentive(), PushSource(60.0)
    shell = LivePipeline(live, source)
    events = shell.run()
    next(events)
    threads = [
        threading.Thread(target=lambda: [shell.said("yes") for _ in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    source.push(excerpt)
    source.end()
    assert len(utterances(list(events))) == 3
    for thread in threads:
        thread.join()
    assert len(live.decider.turns._turns) < 100


@pytest.mark.parametrize("shell", ["core", "live"])
def test_a_turn_is_let_go_when_its_window_has_passed_in_silence(excerpt, shell: str) -> None:
    told, heard = "what the device said " + str(id(object())), "what was accepted " + str(id([]))
    held = (sys.getrefcount(told), sys.getrefcount(heard))
    one = pipeline_of(
        ScriptedRecognizer(text=heard), LoudnessDetector(always=1.0), turn_before_s=2.0
    )
    one.decider.detector.heard = _Forgetful()
    silence = np.zeros(4 * SAMPLE_RATE, np.int16)
    if shell == "core":
        one.said(told)
        events = one.process(np.concatenate([excerpt, silence]))
    else:
        source = PushSource(60.0)
        run = LivePipeline(one, source).run()
        next(run)
        one.said(told)
        source.push(excerpt)
        events = []
        while len(utterances(events)) < 3:
            events.append(next(run))
        for _ in range(40):
            source.push(silence[:1600])
        source.end()
        events += list(run)
    assert len(utterances(events)) == 3
    assert one.decider.turns._turns == []
    del events
    one.decider.recognizer.text = ""
    gc.collect()
    assert (sys.getrefcount(told), sys.getrefcount(heard)) == held


class _Forgetful(list):
    def append(self, item: object) -> None:
        return None
