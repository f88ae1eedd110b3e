"""The comparison of rules as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.measurements.end_of_turn.counts import CONDITIONS

_SHOWN = (
    "fixed 400",
    "fixed 600",
    "before, package",
    "this rule, package",
    "before, unmet",
    "this rule, unmet",
)
"""Columns of all rows."""

_RULES = ("320 to 800", "256 to 576", "320 to 704")

_OTHERS = (*(f"{rule}, {head}" for rule in _RULES for head in ("package", "unmet")),)
"""Columns of the sums alone."""

_TITLES = {"clean": "as recorded", "real 10 dB": "real noise, 10 dB"}


def markdown(found: Mapping[str, Any]) -> str:
    """Return the tables of a `report`."""
    tables = [
        _cuts(found[kind], condition, columns, rows)
        for kind, columns, rows in (
            ("rules", _SHOWN, ""),
            ("rules", _OTHERS, "all "),
            ("halves", _SHOWN, ""),
        )
        for condition in CONDITIONS
    ]
    tables.append(_ranks(found["rank"]))
    if found["public"] is not None:
        tables.append(_public(found["public"]))
    tables.append(_chosen(found["chosen"]))
    return "\n\n".join("\n".join(lines) for lines in tables) + "\n"


def _cuts(rules: Mapping[str, Any], condition: str, names: Sequence[str], rows: str) -> list[str]:
    """Return a table of the rules `names`, of the rows that begin with `rows`."""
    lines = _head([_TITLES[condition], *names])
    columns = {name: rules[name][condition] for name in names}
    parts = {name: one for name, one in columns[names[0]].items() if name.startswith(rows)}
    for part in parts:
        cells = []
        for name, column in columns.items():
            low, high = (100 * share for share in column[part]["cut_interval"])
            interval = f" ({low:.1f}–{high:.1f} %)" if name == "fixed 600" else ""
            cells.append(f"{column[part]['cut']}{interval}")
        lines.append(_row([f"{part} cut, of {parts[part]['clips']}", *cells]))
    for part in (part for part in parts if parts[part]["p50_ms"] is not None):
        waits = [
            f"{column[part]['p50_ms']:.0f} / {column[part]['p95_ms']:.0f}"
            for column in columns.values()
        ]
        lines.append(_row([f"wait p50 / p95, {part}, ms", *waits]))
    return lines


def _ranks(rank: Mapping[str, Any]) -> list[str]:
    lines = _head(["AUC", "ends", "pauses", "package", "unmet", "smart-turn"])
    for name, by_condition in rank.items():
        both = [by_condition[condition] for condition in CONDITIONS]
        cells = [", ".join(str(one[kind]) for one in both) for kind in ("ends", "pauses")]
        for judge in ("package", "unmet", "public"):
            said = [one["auc"].get(judge) for one in both]
            cells.append(", ".join("–" if one is None else f"{one:.2f}" for one in said))
        lines.append(_row([name.replace("_", " "), *cells]))
    return lines


def _public(rules: Mapping[str, Any]) -> list[str]:
    lines = _head(["where smart-turn was asked", "cut", "in noise", "p50 / p95 ms", "in noise"])
    shown = ("smart-turn", "fixed 600", "this rule, package", "this rule, unmet")
    for name in shown:
        both = [rules[name][condition]["asked"] for condition in CONDITIONS]
        cells = [f"{one['cut']} of {one['clips']}" for one in both]
        cells += [f"{one['p50_ms']:.0f} / {one['p95_ms']:.0f}" for one in both]
        lines.append(_row([name, *cells]))
    return lines


def _chosen(choices: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = _head(["chosen by half", "rules left", "rule", "the other half", "slowness on all, ms"])
    for one in choices:
        rule, slowness = one["rule"], one["slowness_ms"]
        said = "–"
        if rule is not None:
            said = (
                f"{rule['floor_ms']:g} to {rule['ceiling_ms']:g} ms, {rule['slope_ms']:g} a factor "
                f"of e, from {rule['from_log_odds']:.2f} on"
            )
        borne = "bears it" if one["borne_by_the_other"] else "does not"
        slow = "–" if slowness is None else f"{slowness:.0f}"
        lines.append(_row([one["half"], str(one["kept"]), said, borne, slow]))
    return lines


def _head(names: Sequence[str]) -> list[str]:
    return [_row(names), "|---|" + "--:|" * (len(names) - 1)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
