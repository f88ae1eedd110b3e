"""The table of a cross-validation as a page of Markdown, and its plots."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

_WIDTH_INCHES = 6.4


def page(table: dict[str, Any]) -> str:
    """Return `table.md`: arms, differences, learning curve, inputs, and what was not run."""
    metric = table["metric"].replace("_", " ")
    lines = [
        f"# {table['recipe']}: {metric}, %",
        "",
        f"{len(table['folds'])} folds ({table['fold_file']}) × {len(table['seeds'])} seeds, "
        f"transcripts: {table['text']}. Mean ± standard deviation over runs. Commit "
        f"{table['commit']}; {table['hardware']}.",
        "",
    ]
    head = ["arm", "fused", "audio only", "text only", "runs", "a run"]
    lines += _grid(head, _arm_rows(table))
    lines += [
        "Paired differences (same fold, same seed, same batches); interval: hierarchical bootstrap "
        "over folds, then seeds, 10,000 draws; beside it over folds, their speakers and seeds. The "
        "runs of a fold share their test rows, so the "
        "tests over runs are optimistic; the last column has one value a fold.",
        "",
        *_grid(_DIFFERENCE_HEAD, _difference_rows(table["difference"])),
    ]
    curve = table["learning_curve"]
    if len(curve) > 1:
        arms = list(dict.fromkeys(arm for point in curve.values() for arm in point))
        rows = [[size, *(_spread(point.get(arm)) for arm in arms)] for size, point in curve.items()]
        lines += ["Training recordings, fused:", "", *_grid(["size", *arms], rows)]
        for size, differences in table["learning_curve_difference"].items():
            lines += [f"Differences at {size}:", ""]
            lines += _grid(_DIFFERENCE_HEAD, _difference_rows(differences))
    for text, other in table["transcripts"].items():
        rows = [[arm, _spread(entry)] for arm, entry in other["arms"].items() if entry["n"]]
        lines += [f"Transcripts: {text}", "", *_grid(["arm", "fused"], rows)]
        lines += _grid(_DIFFERENCE_HEAD, _difference_rows(other["difference"]))
    if table["not_run"]:
        lines += ["Not run:", "", *(f"- {item}" for item in table["not_run"]), ""]
    return "\n".join(lines)


def draw(table: dict[str, Any], folder: Path) -> None:
    """Write the plots that `table` has something for."""
    folds(table, folder / "folds.png")
    if table["difference"]:
        differences(table, folder / "differences.png")
    if len(table["learning_curve"]) > 1:
        learning_curve(table, folder / "learning_curve.png")


def _percent(value: float | None, *, sign: bool = False) -> str:
    if value is None:
        return "–"
    return f"{100 * value:+.1f}" if sign else f"{100 * value:.1f}"


def _spread(entry: dict[str, Any] | None) -> str:
    if not entry or entry["mean"] is None:
        return "–"
    std = "" if entry["std"] is None else f" ± {_percent(entry['std'])}"
    return f"{_percent(entry['mean'])}{std}"


def _interval(edges: list[float] | None) -> str:
    return " to ".join(_percent(edge, sign=True) for edge in edges) if edges else "–"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _grid(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines] + [""]


def _arm_rows(table: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, arm in table["arms"].items():
        inputs = [_spread(table["inputs"][mode].get(name)) for mode in ("audio", "text")]
        cost = arm["compute"]
        effort = f"{cost['optimizer_steps']:.0f} steps, {cost['seconds']:.0f} s"
        rows.append([name, _spread(arm), *inputs, str(len(arm["runs"])), effort])
    return rows


def _difference_rows(differences: dict[str, Any]) -> list[list[str]]:
    rows = []
    for name, found in differences.items():
        intervals = [_interval(found[key]) for key in ("ci95", "ci95_speakers")]
        folds = ", ".join(_percent(value, sign=True) for value in found["by_fold"].values())
        better = f"{found['better']} of {found['runs']}"
        tests = [_p(found[key]) for key in ("p", "p_t", "p_t_folds")]
        mean = _percent(found["mean"], sign=True)
        rows.append([name, mean, *intervals, folds, better, *tests])
    return rows


_DIFFERENCE_HEAD = [
    "difference",
    "mean",
    "95 % interval",
    "95 %, speakers too",
    "by fold",
    "better",
    "p (Wilcoxon)",
    "p (t)",
    "p (t, folds)",
]


def _axes(height_inches: float = 3.8) -> Axes:
    return Figure(figsize=(_WIDTH_INCHES, height_inches)).subplots()


def _save(axes: Axes, path: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    figure: Any = axes.figure
    figure.tight_layout()
    partial = path.with_suffix(".part.png")
    figure.savefig(partial, dpi=150)
    partial.replace(path)


def learning_curve(table: dict[str, Any], path: Path) -> None:
    """Draw the metric over the training-set size, with bands of one standard deviation."""
    curve = table["learning_curve"]
    axes = _axes()
    names = list(curve)
    for arm in dict.fromkeys(arm for point in curve.values() for arm in point):
        places = [i for i, size in enumerate(names) if arm in curve[size]]
        if len(places) < 2:
            continue
        mean = np.array([100 * curve[names[i]][arm]["mean"] for i in places])
        std = np.array([100 * (curve[names[i]][arm]["std"] or 0.0) for i in places])
        (line,) = axes.plot(places, mean, marker="o", label=arm)
        axes.fill_between(places, mean - std, mean + std, color=line.get_color(), alpha=0.12)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel("training recordings")
    axes.set_ylabel(f"{table['metric'].replace('_', ' ')}, %")
    axes.legend(frameon=False)
    _save(axes, path)


def differences(table: dict[str, Any], path: Path) -> None:
    """Draw every paired difference with its interval, and its folds as dots."""
    found = table["difference"]
    names = list(found)
    axes = _axes(1.2 + 0.5 * len(names))
    for place, name in enumerate(names):
        mean = 100 * found[name]["mean"]
        low, high = (100 * edge for edge in found[name]["ci95_speakers"] or found[name]["ci95"])
        axes.plot([low, high], [place, place], color="C0", linewidth=2)
        axes.plot(mean, place, "o", color="C0")
        folds = [100 * value for value in found[name]["by_fold"].values()]
        axes.plot(folds, [place + 0.22] * len(folds), ".", color="0.5", markersize=5)
    axes.axvline(0.0, color="0.3", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(f"points of {table['metric'].replace('_', ' ')} (bar: 95 %, dots: folds)")
    _save(axes, path)


def folds(table: dict[str, Any], path: Path) -> None:
    """Draw the runs of every arm in every fold as dots, their mean as a bar."""
    arms = table["arms"]
    axes = _axes()
    width = 0.8 / len(arms)
    for index, (name, arm) in enumerate(arms.items()):
        for place, fold in enumerate(table["folds"]):
            values = [100 * run["value"] for run in arm["runs"] if run["fold"] == fold]
            if not values:
                continue
            x = place + (index - (len(arms) - 1) / 2) * width
            color, reach = f"C{index}", 0.4 * width
            axes.plot([x] * len(values), values, ".", color=color, alpha=0.5, markersize=6)
            axes.plot([x - reach, x + reach], [np.mean(values)] * 2, color=color, linewidth=3)
        axes.plot([], [], color=f"C{index}", linewidth=3, label=name)
    axes.set_xticks(range(len(table["folds"])), [f"fold {fold}" for fold in table["folds"]])
    axes.set_ylabel(f"{table['metric'].replace('_', ' ')}, %")
    above: dict[str, Any] = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    axes.legend(frameon=False, ncols=min(len(arms), 5), fontsize="small", **above)
    _save(axes, path)
