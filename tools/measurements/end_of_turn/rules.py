"""The rules that are compared: how long a silence ends an utterance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.measurements.end_of_turn.judges import Remembering
from tools.measurements.end_of_turn.streams import Stream
from tools.measurements.vad.scores import RecordedVad, Tally
from training.end_of_turn.turn_head import pause_figures
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import (
    SegmentPaused,
    SegmentResumed,
    SegmentStarted,
)
from turbo_stream.segmentation.segmenter import Segmenter

FIXED_MS = (300, 400, 500, 600, 700, 800, 1000)

THRESHOLDS = (0.5, 0.6, 0.7, 0.8)

FINISHED_MS = (240, 320, 400)
"""Shortest silences that are tried with a judge; its rules of one of them are a family."""


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    family: str
    """Rules of one curve: `fixed`, `adaptive silence`, or a judge and a shortest silence."""

    setting: str
    config: SegmenterConfig
    judged: bool = False

    @property
    def name(self) -> str:
        """How the table calls it."""
        return f"{self.family} {self.setting}".strip()


def silence_rules() -> list[Rule]:
    """Return the rules that hear nothing but silence: fixed ones, and the adaptive one."""
    fixed = [
        Rule(
            "fixed",
            str(wait),
            SegmenterConfig(
                end_silence_min_ms=wait,
                end_silence_ms=wait,
                end_silence_max_ms=wait,
                short_extra_ms=0,
            ),
        )
        for wait in FIXED_MS
    ]
    return [*fixed, Rule("adaptive silence", "", SegmenterConfig())]


def judged_rules(judge: str) -> list[Rule]:
    """Return the rule of the product with `judge`, for every shortest silence and threshold."""
    return [
        Rule(
            f"{judge} {wait}",
            f"{bar:g}",
            replace(SegmenterConfig(), finished_threshold=bar, finished_silence_ms=wait),
            judged=True,
        )
        for wait in FINISHED_MS
        for bar in THRESHOLDS
    ]


_PATIENT = SegmenterConfig(end_silence_ms=1000, end_silence_min_ms=1000, end_silence_max_ms=1000)


def tally_of(rule: Rule, stream: Stream, heard: RecordedVad, judge: Remembering | None) -> Tally:
    """Return what `rule` makes of `stream`, whose voice activity is `heard`."""
    tally = Tally()
    tally.add_segments(heard, stream.scene, rule.config, judge if rule.judged else None)
    return tally


def figures(tallies: Iterable[tuple[str, Tally]], blind: frozenset[str]) -> dict:
    """Return shares and times over `tallies`, each of a collection; null where nothing counted.

    Collections in `blind` stop anywhere: the wait for their ends says nothing.
    """
    found = list(tallies)
    spans = sum(tally.spans for _, tally in found)
    cut = sum(tally.cut for _, tally in found)
    delays = [d for name, tally in found if name not in blind for d in tally.delays]
    return {
        "utterances": spans,
        "cut": cut,
        "cut_share": cut / spans if spans else None,
        "merged": sum(tally.merged for _, tally in found),
        "missed": sum(tally.missed for _, tally in found),
        "wait_ms": {
            f"p{q}": float(np.percentile(delays, q) * 1000) if delays else None
            for q in (10, 50, 95)
        },
    }


def pause_scores(
    streams: Sequence[tuple[Stream, RecordedVad, Remembering]], blind: frozenset[str]
) -> dict:
    """Return how well a judge tells the ends of utterances from the pauses inside them."""
    finished: list[bool] = []
    scores: list[float] = []
    for stream, heard, judge in streams:
        heard.reset()
        segmenter = Segmenter(heard, _PATIENT, judge)
        asked: list[tuple[float, bool, int]] = []
        for output in segmenter.process(stream.scene.pcm) + segmenter.flush():
            if isinstance(output, SegmentPaused) and output.draft.pause is not None:
                probability = output.draft.pause.finished_probability
                if probability is not None:
                    asked.append((probability, True, output.draft.end_sample))
            elif isinstance(output, SegmentResumed):
                asked[-1] = (asked[-1][0], False, asked[-1][2])
            elif isinstance(output, SegmentStarted) and asked:
                # Spoken on after more than a second: another utterance, or the same clip?
                inside = any(
                    span.start < asked[-1][2] and output.start_sample < span.stop
                    for span in stream.scene.spans
                )
                asked[-1] = (asked[-1][0], asked[-1][1] and not inside, asked[-1][2])
        for probability, last, _ in asked:
            if not last or stream.collection not in blind:
                finished.append(last)
                scores.append(probability)
    return pause_figures(np.array(finished, bool), np.array(scores, float))
