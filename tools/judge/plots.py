"""The pictures of a report, as PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from turbo_stream.evaluation.report.canvas import BLUE, GREEN, GREY, ORANGE, PURPLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MODES = {"fused": BLUE, "audio": GREEN, "text": PURPLE, "probe": GREY}
"""Colour of what is listened to."""


def pairs_plot(pairs: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw the equal error rates of every pair, a column for each way."""
    titles = {
        "recorded": "as recorded",
        "channel": "one random channel",
        "alike": "one channel, one length",
    }
    figure, columns = _figure(13.0, 1.2 + 0.75 * len(pairs), columns=len(titles))
    for axes, (way, title) in zip(columns, titles.items(), strict=True):
        for place, pair in enumerate(pairs):
            for number, (mode, colour) in enumerate(MODES.items()):
                found = pair[way][mode]
                if found is None or found["eer"] is None:
                    continue
                y = place + 0.18 * (number - 1.5)
                if ends := found["ci95"].get("eer"):
                    axes.plot([100 * end for end in ends], [y, y], color=colour, lw=1.5)
                label = mode if place == 0 else None
                axes.plot(100 * found["eer"], y, _marker(number), color=colour, label=label)
        axes.axvline(5, color=ORANGE, lw=1, ls=":")
        axes.axvline(15, color=ORANGE, lw=1, ls="--")
        axes.set(xlim=(-1, 62), xlabel="Equal error rate, %", title=title)
        axes.set_yticks(range(len(pairs)), [_pair_name(pair) for pair in pairs])
        axes.invert_yaxis()
    for axes in columns[1:]:
        axes.set_yticklabels([])
    figure.legend(*columns[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return _png(figure)


def matrix_plot(matrix: Mapping[str, Any], way: str) -> bytes:
    """Draw the equal error rate of every directed against every other collection.

    In brackets that of the probe; a dot for each collection that the package was trained on, a
    ring for each that chose it.
    """
    rows, columns = matrix["directed"], matrix["not_directed"]
    values = np.full((len(rows), len(columns)), np.nan)
    figure, axes = _figure(2.6 + 1.15 * len(columns), 1.8 + 0.62 * len(rows))
    for cell in matrix["cells"]:
        at = rows.index(cell["directed"]), columns.index(cell["not_directed"])
        eer, probe = cell[way]["eer"], cell[way]["probe_eer"]
        if eer is None:
            continue
        values[at] = 100 * eer
        said = f"{100 * eer:.0f}" + ("" if probe is None else f" ({100 * probe:.0f})")
        axes.text(
            at[1],
            at[0],
            f"{said}\n{'•' * cell['met']}{'◦' * cell['chose']}",
            ha="center",
            va="center",
            size=9,
        )
    axes.imshow(values, cmap="YlOrRd", vmin=0, vmax=60, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=30, ha="right", size=9)
    axes.set_yticks(range(len(rows)), rows, size=9)
    axes.grid(visible=False)
    axes.set(xlabel="not directed", ylabel="directed")
    return _png(figure)


def conditions_plot(rows: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw the equal error rate under every condition beside the clean one."""
    figure, axes = _figure(7.0, 1.2 + 0.5 * len(rows))
    for place, row in enumerate(rows.values()):
        for shift, key, colour in ((-0.1, "clean", GREY), (0.1, "under", BLUE)):
            found = row[key]
            if found["eer"] is None:
                continue
            if ends := found["ci95"].get("eer"):
                axes.plot([100 * end for end in ends], [place + shift] * 2, color=colour, lw=1.5)
            said = {"clean": "clean, same items", "under": "under the condition"}[key]
            label = said if place == 0 else None
            axes.plot(100 * found["eer"], place + shift, "o", color=colour, label=label)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.set(xlim=(-1, 62), xlabel="Equal error rate, %")
    axes.legend(fontsize=8)
    return _png(figure)


def called_plot(sets: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw model and probe on words as they were given, and cut out alike."""
    colours = {"probe": GREY, "fused": BLUE, "audio": GREEN, "fused_recognized": ORANGE}
    figure, axes = _figure(7.0, 1.4 + 0.7 * len(sets))
    for place, found in enumerate(sets.values()):
        for number, (mode, colour) in enumerate(colours.items()):
            figures = found.get(mode)
            if figures is None or figures["eer"] is None:
                continue
            y = place + 0.18 * (number - 1.5)
            if ends := figures["ci95"].get("eer"):
                axes.plot([100 * end for end in ends], [y, y], color=colour, lw=1.5)
            label = mode.replace("_", ", ") if place == 0 else None
            axes.plot(100 * figures["eer"], y, _marker(number), color=colour, label=label)
    axes.axvline(50, color=GREY, lw=1, ls=":")
    axes.axvline(20, color=ORANGE, lw=1, ls="--")
    axes.set_yticks(range(len(sets)), [name.replace("_", " ") for name in sets])
    axes.invert_yaxis()
    axes.set(xlim=(-1, 72), xlabel="Equal error rate, %")
    axes.legend(fontsize=8)
    return _png(figure)


def _pair_name(pair: Mapping[str, Any]) -> str:
    said = {"met": "trained on", "chose": "chosen by"}
    known = [f"{how} {len(pair[key])} of 2" for key, how in said.items() if pair[key]]
    end = f"\n({', '.join(known)})" if known else ""
    return f"{pair['directed']}\nx {pair['not_directed']}{end}"


def _marker(number: int) -> str:
    return "os^D"[number]


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns)
    for one in np.atleast_1d(axes):
        _style(one)
    return figure, axes


def _style(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#E3E3E3")
    axes.set_axisbelow(True)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # No software version inside, so that the same figures give the same file.
    figure.savefig(file, format="png", dpi=140, metadata={"Software": None})
    return file.getvalue()
