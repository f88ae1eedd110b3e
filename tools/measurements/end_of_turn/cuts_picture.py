"""The comparison of rules as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.measurements.end_of_turn.counts import CONDITIONS

_COLOURS = {"package": "C0", "unmet": "C1"}
_HEADS = {
    "package": "head as it ships",
    "unmet": "head without the collection",
}
_MARKS = {"before": "s", "256 to 576": "x", "this rule": "o"}
_TITLES = {"clean": "as recorded", "real 10 dB": "real noise, 10 dB"}


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Draw the commands of a `report` cut in two against the wait, a panel for each condition."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(CONDITIONS), figsize=(11, 4.3))
    for axes, condition in zip(panels, CONDITIONS, strict=True):
        rules = {name: of[condition]["all commands"] for name, of in found["rules"].items()}
        silent = [_point(one) for name, one in rules.items() if name.startswith("fixed")]
        axes.plot(*zip(*silent, strict=True), "k.-", label="fixed silence", lw=1)
        for head, colour in _COLOURS.items():
            points = [_point(one[head][condition]["all commands"]) for one in found["tried"]]
            label = f"best rules of the family, {_HEADS[head]}"
            axes.plot(*zip(*_best(points), strict=True), color=colour, lw=1, label=label)
            for name, mark in _MARKS.items():
                shown = name if head == "package" else None
                x, y = _point(rules[f"{name}, {head}"])
                axes.plot(x, y, mark, color=colour, ms=7, label=shown)
        low, high = rules["fixed 600"]["cut_interval"]
        axes.axhspan(100 * low, 100 * high, color="0.9", label="fixed 600 ms, 95 % interval")
        axes.set_title(_TITLES[condition], fontsize=10)
        axes.set_xlabel("last sound to end of utterance, median, ms")
        axes.set_xlim(280, 900)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("commands cut in two, %")
    panels[-1].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _point(counts: Mapping[str, Any]) -> tuple[float, float]:
    return counts["p50_ms"], 100 * counts["cut"] / counts["clips"]


def _best(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return those that cut less than every faster one."""
    best: list[tuple[float, float]] = []
    for point in sorted(points):
        if not best or point[1] < best[-1][1]:
            best.append(point)
    return best
