"""The tables and the picture of a cascade."""

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.measurements.cascade.trial import RULE


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


def curve_picture(curves: Mapping[str, Sequence[Mapping[str, Any]]], chosen: float) -> bytes:
    """Draw the rows of `Trial.at` of every set; a line marks the `chosen` threshold."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 8.5), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (key, title) in zip(
        figure.subplots(len(_PANELS), 1, sharex=True), _PANELS.items(), strict=True
    ):
        for number, (name, rows) in enumerate(curves.items()):
            values = [None if row[key] is None else 100 * row[key] for row in rows]
            style = ":" if name.endswith("channel") else "-"
            colour = f"C{number // 2}"
            axes.plot(
                [row["reject_below"] for row in rows], values, style, color=colour, label=name
            )
        axes.axvline(chosen, color="0.3", lw=1, ls="--")
        axes.set_ylabel(title, fontsize=9)
        axes.grid(color="#E3E3E3")
        axes.spines[["top", "right"]].set_visible(False)
        if key == "lost":
            axes.set_ylim(-0.2, 10.0)
    axes.set_xlabel("rejected when the directed probability by the sound alone is below")
    figure.axes[0].legend(fontsize=8)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()


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


_PANELS = {
    "saved_of_not_directed": "not directed, rejected\nbefore recognition, %",
    "lost": "directed and accepted,\nnow rejected, %",
    "cost": "balanced accuracy lost,\npoints",
}
