"""The figures as Markdown, and the curves as a picture."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.measurements.addressing.figures import Rate, Share

CURVES_AT_LEAST = 0.03
"""False accepts an hour at the left edge of the picture; there also where none was found."""


def rate_text(found: Rate) -> str:
    """Return such as `12: 3.4 (1.8–5.9)`: how many, an hour, and their range."""
    if not found.hours:
        return "–"
    low, high = found.range()
    return f"{found.count}: {found.an_hour:.2f} ({low:.2f}–{high:.2f})"


def share_text(found: Share) -> str:
    """Return such as `3.0 % (1.0–8.5)`."""
    if not found.of:
        return "–"
    low, high = found.range()
    return f"{100 * found.value:.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def markdown(report: Mapping[str, Any]) -> str:
    """Return all tables of `report`."""
    return "\n\n".join(
        [
            "False accepts: how many, and how many an hour",
            _table(report["talk"], rate_text),
            "Missed, of recordings that call the device",
            _table(report["calls"], share_text),
            "Accepted, of recordings that do not call it",
            _table(report["others"], share_text),
            "Missed, of commands without a name",
            _table(report["unnamed"], share_text),
            "`named`, missed or accepted by name and by place",
            _table(report["parts"], share_text),
            "Lowest threshold within a rate of acted dialogue",
            _operating_points(report["points"]),
            "Wake-word engines",
            _peers(report["peers"]),
        ]
    )


def _table(rows: Mapping[str, Mapping[str, Any]], text: Any) -> str:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = [_line(["", *columns]), _line(["---"] * (len(columns) + 1))]
    for name, row in rows.items():
        cells = [text(row[column]) if column in row else "" for column in columns]
        lines.append(_line([name, *cells]))
    return "\n".join(lines)


def _operating_points(points: Sequence[Mapping[str, Any]]) -> str:
    lines = [_line(["", "at most, an hour", "threshold", "missed"]), _line(["---"] * 4)]
    for point in points:
        found = point["found"]
        values = ["none", ""] if found is None else _point(found)
        lines.append(_line([point["of"], f"{point['an_hour']:g}", *values]))
    return "\n".join(lines)


def _point(found: Mapping[str, float]) -> list[str]:
    return [f"{found['threshold']:.4f}", f"{100 * found['missed']:.1f} %"]


def _peers(rows: Sequence[Mapping[str, Any]]) -> str:
    names = ["engine", "setting", "word", "set", "condition", "missed", "false, an hour"]
    lines = [_line(names), _line(["---"] * len(names))]
    for row in rows:
        cells = [str(row[name]) for name in names[:5]]
        lines.append(_line([*cells, share_text(row["missed"]), rate_text(row["false"])]))
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def draw(curves: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> None:
    """Draw missed recordings over false accepts an hour; single points where a curve has one."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for number, (name, points) in enumerate(curves.items()):
        across = [max(point["an_hour"], CURVES_AT_LEAST) for point in points]
        up = [100 * point["missed"] for point in points]
        alone = name.startswith("engine")
        axes.plot(
            across,
            up,
            marker="x" if alone else "o",
            markersize=5 if alone else 2.5,
            linestyle="--" if alone else "-",
            color=f"C{number % 10}",
            label=name,
        )
    axes.set_xscale("log")
    axes.set_xlabel(f"false accepts an hour of acted dialogue (≤ {CURVES_AT_LEAST:g}: none)")
    axes.set_ylabel("missed, %")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
