"""The laws of the segmenter, with the real WebRTC detector on real and made sound."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.speech_material import check_laws, cut, fingerprint, hiss, segments
from turbo_stream.segmentation._webrtc import WebRtcVad
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad

CHUNKS = st.lists(st.integers(1, 40_000), min_size=1, max_size=8)

law = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def run(segmenter: Segmenter, pcm: np.ndarray, chunks: list[int]) -> list:
    """Feed `pcm` in chunks of the given sizes, over and over, then flush."""
    outputs, at, turn = [], 0, 0
    while at < pcm.size:
        size = chunks[turn % len(chunks)]
        outputs += segmenter.process(pcm[at : at + size])
        at += size
        turn += 1
    return outputs + segmenter.flush()


@law
@given(start_s=st.floats(0, 45), length_s=st.floats(0.05, 9), chunks=CHUNKS)
def test_chunking_changes_nothing(kitchen_pcm, start_s, length_s, chunks):
    pcm = cut(kitchen_pcm, start_s, start_s + length_s)
    whole = Segmenter(WebRtcVad())
    pieces = Segmenter(WebRtcVad())
    expected = run(whole, pcm, [pcm.size])
    given_outputs = run(pieces, pcm, chunks)
    assert fingerprint(given_outputs) == fingerprint(expected)
    check_laws(given_outputs, pieces)
    assert pieces.fed_samples == pcm.size
    assert pieces.speech_samples == whole.speech_samples


@pytest.mark.parametrize("name", ["webrtc", "silero", "webrtc+silero"])
def test_single_samples_give_what_minutes_give(kitchen_pcm, name):
    pcm = cut(kitchen_pcm, 0.4, 4.2)
    expected = run(Segmenter(load_vad(name)), pcm, [pcm.size])
    assert len(segments(expected)) == 1
    assert fingerprint(run(Segmenter(load_vad(name)), pcm, [1])) == fingerprint(expected)


@law
@given(
    events=st.lists(
        st.one_of(
            st.tuples(st.just("hear"), st.floats(0, 50), st.floats(0.001, 4)),
            st.tuples(st.just("gap"), st.integers(0, 12_000), st.none()),
            st.tuples(st.just("abort"), st.none(), st.none()),
        ),
        min_size=1,
        max_size=10,
    ),
    chunks=CHUNKS,
)
def test_gaps_and_vanishing_sources_keep_the_laws(kitchen_pcm, events, chunks):
    def play(sizes: list[int] | None) -> tuple[Segmenter, list]:
        segmenter, outputs = Segmenter(WebRtcVad()), []
        for kind, first, second in events:
            if kind == "hear":
                pcm = cut(kitchen_pcm, first, first + second)
                if sizes is None:
                    outputs += segmenter.process(pcm)
                    continue
                at = turn = 0
                while at < pcm.size:
                    outputs += segmenter.process(pcm[at : at + sizes[turn % len(sizes)]])
                    at += sizes[turn % len(sizes)]
                    turn += 1
            elif kind == "gap":
                outputs += segmenter.gap(first)
            else:
                outputs += segmenter.abort()
        return segmenter, outputs + segmenter.flush()

    segmenter, outputs = play(None)
    check_laws(outputs, segmenter)
    lost = sum(first for kind, first, _ in events if kind == "gap")
    assert segmenter.lost_samples == lost
    again, pieces = play(chunks)
    assert fingerprint(pieces) == fingerprint(outputs)
    assert again.speech_samples == segmenter.speech_samples


@law
@given(stop_s=st.floats(0.1, 6), more_s=st.floats(0.01, 3))
def test_more_audio_never_changes_an_answer(kitchen_pcm, stop_s, more_s):
    short, long = Segmenter(WebRtcVad()), Segmenter(WebRtcVad())
    before = short.process(cut(kitchen_pcm, 0, stop_s))
    after = long.process(cut(kitchen_pcm, 0, stop_s + more_s))
    assert fingerprint(after)[: len(before)] == fingerprint(before)


def test_reset_begins_anew(kitchen_pcm):
    pcm = cut(kitchen_pcm, 0, 6)
    segmenter = Segmenter(WebRtcVad())
    first = run(segmenter, pcm, [4000])
    segmenter.process(cut(kitchen_pcm, 6, 7.3))
    segmenter.gap(99)
    segmenter.reset()
    assert (segmenter.fed_samples, segmenter.lost_samples, segmenter.speech_samples) == (0, 0, 0)
    assert fingerprint(run(segmenter, pcm, [4000])) == fingerprint(first)


@pytest.mark.slow
def test_memory_does_not_grow_over_hours(kitchen_pcm):
    """Twelve hours of stream time: real sound between gaps, short and long."""
    import tracemalloc

    segmenter = Segmenter(WebRtcVad())
    speech = cut(kitchen_pcm, 0, 5)
    room = hiss(2)

    def hour() -> None:
        segmenter.process(speech)
        segmenter.process(room)
        for _ in range(20):
            segmenter.gap(7)
        segmenter.gap(3600 * 16_000 - speech.size - room.size - 140)

    hour()
    tracemalloc.start()
    hour()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10):
        hour()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert segmenter.fed_samples + segmenter.lost_samples >= 12 * 3600 * 16_000
    assert grown < 50_000
