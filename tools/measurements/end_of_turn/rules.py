"""The rules that are compared: how long a silence ends an utterance."""

from __future__ import annotations

from dataclasses import dataclass, replace

from turbo_stream.segmentation.config import SegmenterConfig

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
