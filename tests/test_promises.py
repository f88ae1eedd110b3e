"""The promises of the pipeline, as laws over any way of feeding it (hypothesis)."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fakes import make_pipeline
from tests.support.streams import feed, untimed
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.events import Event, SpeechStarted, Utterance

chunk_sizes = st.lists(
    st.one_of(st.integers(1, 700), st.integers(1, 50_000)), min_size=1, max_size=30
)
calm = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def whole(excerpt: np.ndarray) -> list[Event]:
    """The events of the excerpt given at once."""
    return untimed(feed(make_pipeline(), excerpt, [len(excerpt)]))


def test_the_excerpt_holds_utterances(whole: list[Event]) -> None:
    assert sum(isinstance(event, Utterance) for event in whole) == 3


@calm
@given(sizes=chunk_sizes)
def test_1_chunking_never_changes_a_decision(excerpt, whole, sizes: list[int]) -> None:
    assert untimed(feed(make_pipeline(), excerpt, sizes)) == whole


@calm
@given(cut=st.integers(0, 12 * SAMPLE_RATE))
def test_more_audio_never_changes_an_event_already_emitted(excerpt, whole, cut: int) -> None:
    early = untimed(make_pipeline().process(excerpt[:cut]))
    assert early == whole[: len(early)]


@pytest.mark.slow
@calm
@given(cut=st.integers(0, 12 * SAMPLE_RATE), sizes=chunk_sizes, gap=st.integers(1, 40_000))
def test_2_every_utterance_gets_exactly_one_terminal_event(excerpt, cut, sizes, gap) -> None:
    pipeline = make_pipeline()
    events = pipeline.process(excerpt[:cut])
    events += pipeline.gap(gap, "test")
    events += feed(pipeline, excerpt[cut:], sizes)
    open_ids: dict[int, float] = {}
    closed: list[int] = []
    for event in events:
        if isinstance(event, SpeechStarted):
            assert event.id not in open_ids and event.id not in closed
            open_ids[event.id] = event.time_s
        elif isinstance(event, Utterance):
            assert open_ids.pop(event.id) == event.start_s
            assert event.start_s <= event.end_s
            closed.append(event.id)
    assert not open_ids
    assert closed == sorted(closed)


@calm
@given(cuts=st.lists(st.integers(0, 12 * SAMPLE_RATE), max_size=4), gap=st.integers(1, 40_000))
def test_3_speech_and_silence_are_the_samples_fed(excerpt, cuts, gap: int) -> None:
    pipeline = make_pipeline()
    start = 0
    for cut in sorted(cuts):
        pipeline.process(excerpt[start:cut])
        pipeline.gap(gap, "test")
        start = cut
    pipeline.process(excerpt[start:])
    pipeline.flush()
    finished = pipeline.finished()
    assert finished.audio_s * SAMPLE_RATE == len(excerpt)
    assert finished.lost_samples == gap * len(cuts)
    assert finished.speech_s + finished.silence_s == pytest.approx(finished.audio_s, abs=1e-9)
    assert 0 < finished.speech_s < finished.audio_s


def test_4_the_same_audio_gives_the_same_events(excerpt, whole) -> None:
    pipeline = make_pipeline()
    assert untimed(feed(pipeline, excerpt, [4000])) == whole
    pipeline.reset()
    assert untimed(feed(pipeline, excerpt, [1234])) == whole
    assert pipeline.finished().utterances == 3


@pytest.mark.slow
def test_5_memory_does_not_grow_with_the_stream(kitchen_pcm: np.ndarray) -> None:
    """A leak of two bytes a frame would show: twelve minutes are 36,000 frames."""
    rng = np.random.default_rng(0)
    minute = 60 * SAMPLE_RATE
    scenes = [
        np.resize(kitchen_pcm, minute),
        np.zeros(minute, np.int16),
        rng.integers(-40, 40, minute).astype(np.int16),
    ]
    pipeline = make_pipeline()
    pipeline.decider.detector.heard = _Forgetful()

    def hear(minutes: int) -> int:
        for index in range(minutes):
            for start in range(0, minute, minute // 4):
                pipeline.process(scenes[index % 3][start : start + minute // 4])
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        after_a_while = hear(3)
        at_the_end = hear(12)
    finally:
        tracemalloc.stop()
    assert at_the_end - after_a_while < 64_000


class _Forgetful(list):
    def append(self, item: object) -> None:
        return None
