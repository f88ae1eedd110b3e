"""Streams for these tests, made of the shipped scene and of signals that numpy makes."""

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.segmentation.segment import (
    Segment,
    SegmenterOutput,
    SegmentPaused,
    SegmentResumed,
    SegmentStarted,
)
from turbo_stream.segmentation.segmenter import Segmenter


def hiss(seconds: float, amplitude: float = 20, seed: int = 0) -> np.ndarray:
    """A quiet room: white noise, int16."""
    noise = np.random.default_rng(seed).normal(0, amplitude, round(seconds * SAMPLE_RATE))
    return noise.astype(np.int16)


def cut(pcm: np.ndarray, start_s: float, stop_s: float) -> np.ndarray:
    """A stretch of `pcm`."""
    return pcm[round(start_s * SAMPLE_RATE) : round(stop_s * SAMPLE_RATE)]


def buzz(seconds: float) -> np.ndarray:
    """Something detectors take for a voice: a 120 Hz pulse train through two formants, no pause."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    pitch = 120 + 15 * np.sin(2 * np.pi * 2.1 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    weight = {
        h: np.exp(-(((h * 120 - 600) / 400) ** 2)) + 0.5 * np.exp(-(((h * 120 - 1600) / 500) ** 2))
        for h in range(1, 30)
    }
    voice = sum(w * np.sin(h * phase) for h, w in weight.items())
    tremble = 1 + 0.5 * np.sin(2 * np.pi * 4 * time)
    return (3000 * tremble * voice / np.abs(voice).max()).astype(np.int16)


def segments(outputs: list[SegmenterOutput]) -> list[Segment]:
    """The finished utterances among `outputs`."""
    return [output for output in outputs if isinstance(output, Segment)]


def fingerprint(outputs: list[SegmenterOutput]) -> list[tuple]:
    """All that `outputs` say, in a form that compares."""
    return [_print(output) for output in outputs]


def _print(output: SegmenterOutput) -> tuple:
    match output:
        case SegmentStarted():
            return ("started", output.id, output.start_sample)
        case SegmentResumed():
            return ("resumed", output.id)
        case SegmentPaused():
            return ("paused", *_print(output.draft))
    return (
        output.id,
        output.start_sample,
        output.end_sample,
        output.endpoint_sample,
        output.dropped,
        output.degraded,
        output.pause,
        output.pcm.tobytes(),
    )


def check_laws(outputs: list[SegmenterOutput], segmenter: Segmenter) -> None:
    """Assert what holds of the outputs of every finished stream."""
    open_id, open_start, expected, last_end, last_seen = None, None, 0, 0, 0
    draft = None
    for output in outputs:
        if isinstance(output, SegmentStarted):
            assert open_id is None and output.id == expected
            open_id, open_start = output.id, output.start_sample
            expected += 1
            continue
        if isinstance(output, SegmentPaused):
            assert draft is None and output.draft.dropped is None
            assert (output.draft.id, output.draft.start_sample) == (open_id, open_start)
            draft = output.draft
            continue
        if isinstance(output, SegmentResumed):
            assert draft is not None and output.id == open_id
            draft = None
            continue
        if draft is not None:
            assert draft.same_sound(output) and np.array_equal(draft.pcm, output.pcm)
            assert draft.pause == output.pause
        draft = None
        assert (output.id, output.start_sample) == (open_id, open_start)
        open_id = None
        assert last_end <= output.start_sample < output.end_sample <= output.endpoint_sample
        assert last_seen <= output.endpoint_sample
        assert output.pcm.dtype == np.int16 and output.pcm.size > 0
        last_end, last_seen = output.end_sample, output.endpoint_sample
    assert open_id is None
    time = segmenter.fed_samples + segmenter.lost_samples
    spans = sum(s.end_sample - s.start_sample for s in segments(outputs))
    assert spans - segmenter.lost_samples <= segmenter.speech_samples <= spans
    assert segmenter.speech_samples <= segmenter.fed_samples
    assert all(s.endpoint_sample <= time for s in segments(outputs))
