"""The rules that are compared: how long a silence ends an utterance."""

from __future__ import annotations

from dataclasses import dataclass, replace

from turbo_stream.segmentation.config import SegmenterConfig

FIXED_MS = (300, 400, 500, 600, 700, 800, 1000)

THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    family: str
    """Rules of one curve: `fixed`, `silence` or the name of a judge."""

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


def judged_rules(judge: str, base: SegmenterConfig | None = None) -> list[Rule]:
    """Return the rule of the product with `judge` at every threshold."""
    config = base or SegmenterConfig()
    return [
        Rule(judge, f"{bar:g}", replace(config, finished_threshold=bar), judged=True)
        for bar in THRESHOLDS
    ]
