"""Stand-ins whose answers a test can choose; the segmenter and the sound stay real."""

import threading
import zlib
from dataclasses import dataclass, field

import numpy as np

from turbo_stream import Confidence, Pipeline, Ready, Score, Transcript
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.revision import Revision
from turbo_stream.deciding.turn_before import TurnBefore
from turbo_stream.segmentation.segmented_stream import SegmentedStream
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad


@dataclass
class ScriptedRecognizer:
    """Says the given text, or raises, or waits."""

    text: str = "turn on the lights"
    error: Exception | None = None
    release: threading.Event | None = None
    """When given, each call waits for it."""
    calls: int = 0
    name: str = "scripted"

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        self.calls += 1
        if self.release is not None:
            self.release.wait(30)
        if self.error is not None:
            raise self.error
        return Transcript(self.text, Confidence(-0.3))

    def warm_up(self) -> None:
        return None


@dataclass
class LoudnessDetector:
    """Accepts by a figure of the sound alone, so that any change of the segment shows."""

    error: Exception | None = None
    always: float | None = None
    heard: list[Transcript] = field(default_factory=list)
    name: str = "loudness"

    def score(self, pcm: np.ndarray, transcript: Transcript) -> Score:
        self.heard.append(transcript)
        if self.error is not None:
            raise self.error
        p = self.always
        if p is None:
            p = float(np.mean(np.abs(pcm.astype(np.float64))) % 100) / 100
        return Score(p, {"directed": p, "not_directed": 1 - p})

    def warm_up(self) -> None:
        return None


@dataclass
class AttentiveDetector(LoudnessDetector):
    """Accepts by the sound and by every letter of the turn before."""

    name: str = "attentive"

    def score(self, pcm: np.ndarray, transcript: Transcript) -> Score:
        by_sound = super().score(pcm, transcript).directed_probability
        p = (by_sound + zlib.crc32(transcript.before.encode()) % 89 / 89) % 1.0
        return Score(p, {"directed": p, "not_directed": 1 - p})


def make_pipeline(
    recognizer: ScriptedRecognizer | None = None,
    detector: LoudnessDetector | None = None,
    *,
    vad: str = "webrtc",
    threshold: float = 0.5,
    show_rejected: bool = False,
    partials: bool = True,
    turn_before_s: float = 0.0,
    revise: bool = False,
) -> Pipeline:
    """Return a pipeline with a real segmenter and scripted models."""
    decider = Decider(
        recognizer or ScriptedRecognizer(),
        detector or LoudnessDetector(),
        threshold,
        show_rejected=show_rejected,
        turns=TurnBefore(round(turn_before_s * SAMPLE_RATE)),
        revision=Revision() if revise else None,
    )
    ready = Ready(asr="scripted", vad=vad, model="loudness", threshold=threshold)
    return Pipeline(
        SegmentedStream(Segmenter(load_vad(vad))), decider, ready=ready, partials=partials
    )
