"""The patient segmenter, which waits out every pause: where speech pauses, and for how long."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.measurements.end_of_turn.pauses import FOR_EVER_MS
from tools.measurements.vad.scenes import RATE, Scene
from tools.measurements.vad.scores import RecordedVad
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import Segment, SegmentPaused, SegmentResumed
from turbo_stream.segmentation.segmenter import Segmenter

LONGEST_MS = 1000
"""Silence by which it ends an utterance."""

PATIENT = SegmenterConfig(
    end_silence_ms=LONGEST_MS,
    end_silence_min_ms=LONGEST_MS,
    end_silence_max_ms=LONGEST_MS,
    short_extra_ms=0,
)


@dataclass
class Paused:
    """One pause."""

    pcm: NDArray[np.int16]
    """`[N]`: the utterance so far, as a judge hears it."""

    span: int
    """Index of the clip in the scene."""

    voiced_ms: float
    lag_ms: float
    silence_ms: float = FOR_EVER_MS


def pauses_of(scene: Scene, heard: RecordedVad) -> Iterator[Paused]:
    """Yield the pauses in the clips of `scene`, whose voice activity is `heard`, in order."""
    heard.reset()
    segmenter = Segmenter(heard, PATIENT)
    size = heard.frame_samples
    found: list[Paused] = []
    silent_from = 0
    for at in range(0, scene.pcm.size, size):
        for output in segmenter.process(scene.pcm[at : at + size]):
            match output:
                case SegmentPaused(draft=draft):
                    # Only the segmenter itself knows the voice and the silence that it counts.
                    utterance = segmenter._state.utterance
                    assert utterance is not None
                    silent_from = utterance.speech_end
                    span = _span(scene, draft)
                    lag = 0 if span is None else silent_from - scene.spans[span].stop
                    found.append(
                        Paused(
                            draft.pcm,
                            -1 if span is None else span,
                            utterance.voiced_samples * 1000 / RATE,
                            lag * 1000 / RATE,
                        )
                    )
                case SegmentResumed():
                    # A rule ends an utterance with the frames before the one that resumes it.
                    found[-1].silence_ms = (at - silent_from) * 1000 / RATE
    yield from (pause for pause in found if pause.span >= 0)


def _span(scene: Scene, said: Segment) -> int | None:
    """Return the clip that `said` overlaps most, None where it overlaps none."""
    shares = [
        min(said.end_sample, span.stop) - max(said.start_sample, span.start) for span in scene.spans
    ]
    best = int(np.argmax(shares))
    return best if shares[best] > 0 else None
