"""Utterances cut in two against the wait, a curve for each family of rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.measurements.end_of_turn.table import conditions_of


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Draw one panel for each condition."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    conditions = conditions_of(report)
    figure, panels = pyplot.subplots(
        1, len(conditions), figsize=(5.5 * len(conditions), 4.2), sharey=True, squeeze=False
    )
    families = list(dict.fromkeys(rule["family"] for rule in report["rules"].values()))
    for condition, axes in zip(conditions, panels[0], strict=True):
        for family in families:
            rules = [rule for rule in report["rules"].values() if rule["family"] == family]
            found = [(rule["setting"], rule[condition]["all"]) for rule in rules]
            across = [item["wait_ms"]["p50"] for _, item in found]
            up = [100 * item["cut_share"] for _, item in found]
            axes.plot(across, up, marker="o", markersize=4, label=family)
            for (setting, _), x, y in zip(found, across, up, strict=True):
                axes.annotate(
                    setting, (x, y), fontsize=6, xytext=(3, 3), textcoords="offset points"
                )
        axes.set_title(condition, fontsize=10)
        axes.set_xlabel("true end of speech to endpoint, median, ms")
        axes.grid(alpha=0.3)
    panels[0][0].set_ylabel("utterances cut in two, %")
    panels[0][0].set_ylim(bottom=0)
    panels[0][-1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
