"""The report as tables and as a picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def markdown(report: Mapping[str, Any]) -> str:
    """Return a row for every rule, and a row for every judge and collection."""
    groups = [
        name for name in ("directed", "not_directed") if name in report["collections"].values()
    ]
    heads = ["rule", "condition"]
    heads += [f"cut in two, {name.replace('_', ' ')}" for name in groups]
    heads += ["all", "merged", "wait p50 ms", "p95"]
    lines = ["| " + " | ".join(heads) + " |", "|---|---|" + "--:|" * (len(heads) - 2)]
    for name, rule in report["rules"].items():
        for condition in conditions_of(report):
            found = rule[condition]
            cells = [_percent(found[group]["cut_share"]) for group in (*groups, "all")]
            wait = found["all"]["wait_ms"]
            cells += [str(found["all"]["merged"]), _number(wait["p50"]), _number(wait["p95"])]
            lines.append("| " + " | ".join([name, condition, *cells]) + " |")
    lines += [
        "",
        "| judge | condition | collection | ends | pauses | AUC | found at 15 % false |",
        "|---|---|---|--:|--:|--:|--:|",
    ]
    for judge, by_condition in report["pauses"].items():
        for condition in conditions_of(report):
            for group, found in by_condition[condition].items():
                cells = [
                    str(found["ends"]),
                    str(found["pauses"]),
                    _number(found["auc"], "{:.3f}"),
                    _percent(found.get("found_at_15_percent_false")),
                ]
                lines.append("| " + " | ".join([judge, condition, group, *cells]) + " |")
    return "\n".join(lines) + "\n"


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


def conditions_of(report: Mapping[str, Any]) -> list[str]:
    """Return the names of the conditions that `report` has figures for."""
    first = next(iter(report["rules"].values()))
    return [name for name in first if name not in ("family", "setting")]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None, form: str = "{:.0f}") -> str:
    return "–" if value is None else form.format(value)
