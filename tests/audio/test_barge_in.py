"""Which utterances were spoken over the device does not depend on how the sound is cut."""

import numpy as np
import pytest

from tests.support.fakes import make_pipeline
from turbo_stream import Utterance
from turbo_stream.audio.barge_in import BargeIn


class FlickeringGate:
    """Finds near speech in the samples that are odd: as many spans as there can be."""

    def process(self, pcm: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return pcm, pcm % 2 == 1

    def reset(self) -> None:
        return None


def flickering() -> BargeIn:
    barge_in = BargeIn()
    barge_in._gate = FlickeringGate()
    return barge_in


def test_a_chunk_may_hold_any_number_of_spans() -> None:
    pcm = np.tile(np.array([0, 1, 0, 0], np.int16), 5000)
    barge_in = flickering()
    barge_in.without_echo(pcm, pcm, 0)
    spans = [(start, start + 2) for start in range(0, len(pcm), 2)]
    # The odd samples are 1, 5, 9, ...: every other span of two holds one.
    assert [barge_in.during(*span) for span in spans] == [n % 2 == 0 for n in range(len(spans))]


@pytest.mark.parametrize("seed", range(20))
def test_spans_are_the_same_however_the_sound_is_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    near = np.repeat(rng.integers(0, 2, 400), rng.integers(1, 60, 400))
    whole, pieces = flickering(), flickering()
    whole.without_echo(near.astype(np.int16), near, 0)
    start = 0
    while start < len(near):
        part = near[start : start + int(rng.integers(1, 500))].astype(np.int16)
        pieces.without_echo(part, part, start)
        start += len(part)
    for _ in range(200):
        begin, end = sorted(rng.integers(0, len(near) + 1, 2))
        expected = bool(near[begin:end].any())
        assert whole.during(begin, end) == pieces.during(begin, end) == expected
    before = int(rng.integers(len(near)))
    for one in (whole, pieces):
        one.forget(before)
        assert all(stop > before for _, stop in one._spans)
        assert one.during(before, len(near)) == bool(near[before:].any())


def test_what_no_utterance_can_reach_any_more_is_forgotten(kitchen_pcm: np.ndarray) -> None:
    """Memory does not grow with the length of the stream, only with the longest utterance."""
    pipeline = make_pipeline()
    pipeline.segmented._barge_in = flickering()
    reference = np.zeros(1600, np.int16)
    kept = []
    for start in range(0, 3 * len(kitchen_pcm), 1600):
        at = start % (len(kitchen_pcm) - 1600)
        pipeline.process(kitchen_pcm[at : at + 1600], reference)
        kept.append(len(pipeline.segmented._barge_in._spans))
    assert 0 < max(kept[len(kept) // 2 :]) <= 1.2 * max(kept[: len(kept) // 2])


@pytest.mark.parametrize("chunk", [160, 1601, 48_000])
def test_an_utterance_is_marked_alike_in_chunks_of_every_size(kitchen_pcm, chunk: int) -> None:
    """The real canceller; the device plays what was said before, in bursts."""
    pcm = kitchen_pcm[: 40 * 16_000]
    played = np.roll(pcm, 7 * 16_000) // 2
    played[np.arange(len(played)) // 12_000 % 2 == 0] = 0
    heard = np.clip(pcm + 0.3 * np.roll(played, 240), -32768, 32767).astype(np.int16)

    def marked(size: int) -> list[tuple]:
        pipeline, events = make_pipeline(), []
        for start in range(0, len(heard), size):
            part = slice(start, start + size)
            events += pipeline.process(heard[part], played[part])
        events += pipeline.flush()
        return [(e.id, e.start_s, e.end_s, e.barge_in) for e in events if isinstance(e, Utterance)]

    whole = marked(len(heard))
    assert {mark for *_, mark in whole} == {True, False}
    assert marked(chunk) == whole
