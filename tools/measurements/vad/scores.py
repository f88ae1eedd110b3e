"""What a detector and the segmenter behind it made of a scene."""

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.measurements.vad.scenes import BLOCK, RATE, Scene, Span
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import PauseScorer, Segment
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import Vad


class RecordedVad:
    """Gives the probabilities of an earlier run again, so that settings are tried cheaply."""

    def __init__(self, vad: Vad, probabilities: NDArray[np.float64]) -> None:
        self.name = vad.name
        self.frame_samples = vad.frame_samples
        self.onset_threshold = vad.onset_threshold
        self.hold_threshold = vad.hold_threshold
        self._probabilities = probabilities
        self._at = 0

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return what the detector said of this frame."""
        self._at += 1
        return float(self._probabilities[self._at - 1])

    def reset(self) -> None:
        """Go back to the first frame."""
        self._at = 0


def listen(vad: Vad, scene: Scene) -> tuple[RecordedVad, float]:
    """Return what `vad` says of every frame of `scene`, and the CPU seconds it took."""
    size = vad.frame_samples
    count = -(-scene.pcm.size // size)
    padded = np.pad(scene.pcm, (0, count * size - scene.pcm.size))
    vad.reset()
    began = time.process_time()
    said = [vad.speech_probability(padded[i * size : (i + 1) * size]) for i in range(count)]
    spent = time.process_time() - began
    return RecordedVad(vad, np.array(said)), spent


@dataclass
class Tally:
    """Counts over scenes of one condition and one detector."""

    speech_blocks: int = 0
    speech_found: int = 0
    silence_blocks: int = 0
    silence_marked: int = 0
    spans: int = 0
    missed: int = 0
    merged: int = 0
    segments: int = 0
    false_segments: int = 0
    dropped: int = 0
    cut: int = 0
    audio_s: float = 0.0
    vad_cpu_s: float = 0.0
    segmenter_cpu_s: float = 0.0
    onset_errors: list[float] = field(default_factory=list)
    offset_errors: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    lost: list[tuple[str, Span]] = field(default_factory=list)

    def add_frames(self, recorded: RecordedVad, scene: Scene, cpu_s: float) -> None:
        """Count the detector's own decisions, block by block."""
        decided = recorded._probabilities >= recorded.onset_threshold
        middle = np.arange(scene.speech.size) * BLOCK + BLOCK // 2
        marked = decided[middle // recorded.frame_samples]
        self.speech_blocks += int(scene.speech.sum())
        self.speech_found += int(marked[scene.speech].sum())
        self.silence_blocks += int(scene.silence.sum())
        self.silence_marked += int(marked[scene.silence].sum())
        self.audio_s += scene.pcm.size / RATE
        self.vad_cpu_s += cpu_s

    def add_segments(
        self,
        recorded: RecordedVad,
        scene: Scene,
        config: SegmenterConfig | None = None,
        judge: PauseScorer | None = None,
    ) -> None:
        """Run the segmenter and compare its utterances with the spans.

        A segment belongs to the span it overlaps most, if that is at least 30 % of either.
        """
        recorded.reset()
        segmenter = Segmenter(recorded, config, judge)
        began = time.process_time()
        outputs = segmenter.process(scene.pcm) + segmenter.flush()
        self.segmenter_cpu_s += time.process_time() - began
        found: dict[int, list[Segment]] = {}
        for output in outputs:
            if not isinstance(output, Segment):
                continue
            if output.dropped:
                self.dropped += 1
                continue
            self.segments += 1
            if not scene.spans:
                self.false_segments += 1
                continue
            shares = [_shared(output, span) for span in scene.spans]
            best = int(np.argmax(shares))
            span = scene.spans[best]
            shorter = min(span.stop - span.start, output.end_sample - output.start_sample)
            if shares[best] < 0.3 * shorter:
                self.false_segments += 1
                continue
            found.setdefault(best, []).append(output)
            self.merged += sum(
                share >= 0.3 * (other.stop - other.start)
                for other, share in zip(scene.spans, shares, strict=True)
                if other is not span
            )
        self.spans += len(scene.spans)
        self.cut += sum(len(group) > 1 for group in found.values())
        for index, span in enumerate(scene.spans):
            if index not in found:
                if not any(
                    _shared(s, span) >= 0.3 * (span.stop - span.start)
                    for group in found.values()
                    for s in group
                ):
                    self.missed += 1
                    self.lost.append((scene.condition, span))
            elif span.trusted:
                first, last = found[index][0], found[index][-1]
                self.onset_errors.append((first.start_sample - span.start) / RATE)
                self.offset_errors.append((last.end_sample - span.stop) / RATE)
                self.delays.append((last.endpoint_sample - span.stop) / RATE)

    def summary(self) -> dict[str, float | int | None]:
        """Return the figures of the table; shares are fractions, errors milliseconds.

        A figure that nothing was measured for is None.
        """
        heard = self.spans - self.missed
        true_segments = self.segments - self.false_segments
        return {
            "utterances": self.spans,
            "frame_recall": self.speech_found / self.speech_blocks if self.speech_blocks else None,
            "false_speech": self.silence_marked / max(1, self.silence_blocks),
            "missed": self.missed,
            "merged": self.merged,
            "cut": self.cut,
            "segments_per_utterance": true_segments / heard if heard else None,
            "false_segments_per_minute": 60 * self.false_segments / max(1.0, self.audio_s),
            "too_short": self.dropped,
            **_errors("onset", self.onset_errors, 0.3),
            **_errors("offset", self.offset_errors, 0.5),
            "endpoint_delay_p50_ms": _percentile(self.delays, 50),
            "endpoint_delay_p95_ms": _percentile(self.delays, 95),
            "vad_cpu_ms_per_s": 1000 * self.vad_cpu_s / max(1.0, self.audio_s),
            "segmenter_cpu_ms_per_s": 1000 * self.segmenter_cpu_s / max(1.0, self.audio_s),
        }


def _shared(segment: Segment, span: Span) -> int:
    return max(0, min(segment.end_sample, span.stop) - max(segment.start_sample, span.start))


def _percentile(seconds: list[float], q: float) -> float | None:
    return float(np.percentile(seconds, q) * 1000) if seconds else None


def _errors(name: str, seconds: list[float], bar: float) -> dict[str, float | None]:
    size = [abs(error) for error in seconds]
    return {
        f"{name}_p50_ms": _percentile(seconds, 50),
        f"{name}_abs_p95_ms": _percentile(size, 95),
        f"{name}_within_{bar * 1000:.0f}_ms": float(np.mean(np.array(size) <= bar))
        if size
        else None,
    }
