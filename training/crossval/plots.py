"""Three plots of a table: learning curve, paired differences, folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

_SIZE_INCHES = (6.4, 3.8)


def _save(axes: Axes, path: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.figure.tight_layout()
    partial = path.with_suffix(".part.png")
    axes.figure.savefig(partial, dpi=150)
    plt.close(axes.figure)
    partial.replace(path)


def learning_curve(table: dict[str, Any], path: Path) -> None:
    """Draw the metric over the training-set size, with bands of one standard deviation."""
    curve = table["learning_curve"]
    _, axes = plt.subplots(figsize=_SIZE_INCHES)
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
    _, axes = plt.subplots(figsize=(_SIZE_INCHES[0], 1.2 + 0.5 * len(names)))
    for place, name in enumerate(names):
        mean = 100 * found[name]["mean"]
        low, high = (100 * edge for edge in found[name]["ci95"])
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
    _, axes = plt.subplots(figsize=_SIZE_INCHES)
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
    above = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0)}
    axes.legend(frameon=False, ncols=len(arms), fontsize="small", **above)
    _save(axes, path)


def draw(table: dict[str, Any], folder: Path) -> None:
    """Write the plots that `table` has something for."""
    folds(table, folder / "folds.png")
    if table["difference"]:
        differences(table, folder / "differences.png")
    if len(table["learning_curve"]) > 1:
        learning_curve(table, folder / "learning_curve.png")
