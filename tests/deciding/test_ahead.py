"""Text and score made at the pause where sound is waited for, and the same events either way."""

import os
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.support.fakes import AttentiveDetector, ScriptedRecognizer, make_pipeline
from tests.support.speech_material import buzz, hiss
from tests.support.streams import feed, untimed
from turbo_stream import Event, Pipeline, Utterance
from turbo_stream.audio._raw import RawSource
from turbo_stream.deciding import ahead

BLOCK = 512


@pytest.fixture(scope="module")
def words() -> np.ndarray:
    """Two utterances, the second with a pause of 0.4 s inside, through which it goes on."""
    return np.concatenate(
        [hiss(1), buzz(1.0), hiss(1.2), buzz(0.9), hiss(0.4, seed=1), buzz(0.9), hiss(1.2, seed=2)]
    )


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ahead, "perf_counter", clock)
    return clock


def paced(pipeline: Pipeline, pcm: np.ndarray, clock: Clock, pace: float) -> list[list[Event]]:
    """Feed `pcm` in blocks, each of which took `pace` of its own time to come."""
    found = []
    for start in range(0, len(pcm), BLOCK):
        clock.now_s += pace * BLOCK / 16_000
        found.append(pipeline.process(pcm[start : start + BLOCK]))
    return [*found, pipeline.flush()]


def calls_at_the_decision(pcm: np.ndarray, clock: Clock, pace: float) -> list[int]:
    """How often the recognizer is asked in the very call that returns each decision."""
    recognizer = ScriptedRecognizer()
    pipeline = make_pipeline(recognizer)
    asked = []
    for start in range(0, len(pcm), BLOCK):
        clock.now_s += pace * BLOCK / 16_000
        before = recognizer.calls
        events = pipeline.process(pcm[start : start + BLOCK])
        asked += [recognizer.calls - before for event in events if isinstance(event, Utterance)]
    return asked


def test_sound_that_is_waited_for_is_recognized_before_its_end_is_certain(words, clock) -> None:
    assert calls_at_the_decision(words, clock, pace=0.9) == [0, 0]


def test_sound_that_is_there_at_once_is_recognized_once(words, clock) -> None:
    assert calls_at_the_decision(words, clock, pace=0.1) == [1, 1]


def test_a_draft_that_went_on_is_recognized_again(words, clock) -> None:
    recognizer = ScriptedRecognizer()
    paced(make_pipeline(recognizer), words, clock, 1.0)
    assert recognizer.calls == 3, "at each of three pauses"


@hypothesis_settings(max_examples=6, deadline=None)
@given(
    st.lists(st.integers(1, 40_000), min_size=1, max_size=6),
    st.lists(st.floats(0, 2), min_size=1, max_size=5),
)
def test_the_pace_changes_no_event(words, sizes, paces) -> None:
    def pipeline() -> Pipeline:
        detector = AttentiveDetector()
        return make_pipeline(None, detector, threshold=0.4, turn_before_s=15, revise=True)

    at_once = untimed(feed(pipeline(), words, [len(words)]))
    clock, stream, events = Clock(), pipeline(), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ahead, "perf_counter", clock)
        start = turn = 0
        while start < len(words):
            size = sizes[turn % len(sizes)]
            clock.now_s += paces[turn % len(paces)] * size / 16_000
            events += stream.process(words[start : start + size])
            start, turn = start + size, turn + 1
        events += stream.flush()
    assert untimed(events) == at_once


def test_what_the_device_says_meanwhile_is_the_turn_before(words, clock) -> None:
    detector = AttentiveDetector()
    pipeline = make_pipeline(None, detector, turn_before_s=15)
    for start in range(0, len(words), BLOCK):
        clock.now_s += BLOCK / 16_000
        heard = len(detector.heard)
        pipeline.process(words[start : start + BLOCK])
        if len(detector.heard) > heard:
            break
    pipeline.said("which room?", at_sample=0)
    paced(pipeline, words[start + BLOCK : start + 16_000], clock, 1.0)
    assert [one.before for one in detector.heard[:2]] == ["", "which room?"]


def test_nothing_is_kept_of_a_draft_that_is_void_and_none_outlives_the_stream(words, clock) -> None:
    pipeline = make_pipeline()
    paced(pipeline, words[:40_000], clock, 1.0)
    pipeline.reset()
    assert pipeline._ahead._made is None
    made = 0
    for start in range(0, len(words), BLOCK):
        clock.now_s += BLOCK / 16_000
        events = pipeline.process(words[start : start + BLOCK])
        ended = any(isinstance(event, Utterance) for event in events)
        if ended or pipeline.segmented.segmenter.speaking is not None:
            assert pipeline._ahead._made is None
        made += pipeline._ahead._made is not None
    assert made


def test_a_pipe_that_a_recorder_fills_is_decided_ahead(words) -> None:
    """With real time and a real pipe: the recognizer has answered before the end is certain."""
    spoken = words[: round(2.9 * 16_000)]
    reader, writer = os.pipe()

    def record() -> None:
        begun = time.perf_counter()
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for start in range(0, len(spoken), 800):
                due = begun + start / 16_000
                time.sleep(max(0.0, due - time.perf_counter()))
                pipe.write(spoken[start : start + 800].tobytes())

    recognizer = ScriptedRecognizer()
    pipeline = make_pipeline(recognizer)
    asked: list[tuple[int, int]] = []
    hear = recognizer.transcribe

    def noted(pcm: np.ndarray):
        asked.append((pipeline.segmented.now_sample, len(pcm)))
        return hear(pcm)

    recognizer.transcribe = noted
    recorder = threading.Thread(target=record)
    recorder.start()
    with os.fdopen(reader, "rb") as pipe:
        events = list(pipeline.run(RawSource(pipe)))
    recorder.join()
    (utterance,) = (event for event in events if isinstance(event, Utterance))
    ((at, _),) = asked
    silence_s = at / 16_000 - utterance.end_s
    assert silence_s < 0.45, "the end itself takes 0.6 s of silence"
    at_once = [e for e in feed(make_pipeline(), spoken, [BLOCK]) if isinstance(e, Utterance)]
    assert untimed([utterance]) == untimed(at_once)
