"""The tables of a cascade, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.measurements.cascade.choice import RULE


def page(report: Mapping[str, Any]) -> str:
    """Return what the rule chose, what that does on every set, and other thresholds."""
    return "\n".join(
        [
            f"Rule: {RULE}. It gives **{report['sound_reject']:g}**.",
            "",
            *_chosen(report),
            "",
            "Share of the not directed speech that no text is made of / of the accepted directed "
            "speech that is lost, %, when the sound alone rejects below",
            "",
            *_thresholds(report["sets"]),
            "",
        ]
    )


def _chosen(report: Mapping[str, Any]) -> Iterable[str]:
    yield _line(
        "set", "n", "saved: not directed", "directed", "seconds", "directed lost",
        "false accept", "false reject", "balanced accuracy", "alone the rule gives",
    )  # fmt: skip
    yield _rule(10)
    for one in report["sets"]:
        row = next(r for r in one["shown"] if r["reject_below"] == report["sound_reject"])
        yield _line(
            one["name"],
            str(one["n"]),
            _percent(row["saved_of_not_directed"], row["ci95"]["saved_of_not_directed"]),
            _percent(row["saved_of_directed"]),
            _percent(row["saved_seconds"]),
            _percent(row["lost"], row["ci95"]["lost"]),
            _percent(row["false_accept"]),
            _percent(row["false_reject"]),
            _percent(row["balanced_accuracy"]),
            f"{one['highest_alone']:g}",
        )


def _thresholds(sets: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    tried = [row["reject_below"] for row in sets[0]["shown"]]
    yield _line("set", *(f"{value:g}" for value in tried))
    yield _rule(len(tried) + 1)
    for one in sets:
        cells = (
            f"{_percent(row['saved_of_not_directed'])} / {_percent(row['lost'])}"
            for row in one["shown"]
        )
        yield _line(one["name"], *cells)


def _percent(value: float | None, ends: Sequence[float] | None = None) -> str:
    if value is None:
        return "-"
    shown = f"{100 * value:.1f}"
    return shown if ends is None else f"{shown} ({100 * ends[0]:.1f}–{100 * ends[1]:.1f})"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|---" * columns + "|"
