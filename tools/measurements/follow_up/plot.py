"""A picture of what a prior costs and brings over all assumed worlds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_FIGURES = {
    "false_accept": "false accepts, usual threshold",
    "false_reject": "false rejects, usual threshold",
    "false_reject_at_false_accept": "false rejects at {:.0%} false accepts",
}
_COLOURS = {"none": "0.45", "default": "tab:blue", "fitted": "tab:orange"}


def plot_worlds(report: dict[str, Any], path: Path) -> None:
    """Write curves over the share of follow-ups, a column for each share of chat."""
    chats = sorted({world["chat_share"] for world in report["worlds"]})
    figure = Figure(figsize=(3.2 * len(chats), 7.5), layout="constrained")
    grid = figure.subplots(len(_FIGURES), len(chats), sharex=True, sharey="row", squeeze=False)
    for row, (key, title) in zip(grid, _FIGURES.items(), strict=True):
        for axes, chat in zip(row, chats, strict=True):
            worlds = [world for world in report["worlds"] if world["chat_share"] == chat]
            for name, colour in _COLOURS.items():
                points = [
                    (world["follow_up_share"], 100 * world[name][key])
                    for world in worlds
                    if world[name][key] is not None
                ]
                axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=name)
            axes.grid(alpha=0.3)
            axes.set_ylim(bottom=0)
            if axes is row[0]:
                axes.set_ylabel(title.format(report["false_accept_held"]) + ", %", fontsize=8)
    for axes, chat in zip(grid[0], chats, strict=True):
        axes.set_title(f"chat right after: {chat:.0%}", fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("share of follow-ups", fontsize=8)
    grid[0][0].legend(title="prior", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
