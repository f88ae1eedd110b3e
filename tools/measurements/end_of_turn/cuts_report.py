"""The figures of the comparison of rules, JSON-ready."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from tools.measurements.end_of_turn.choice import HALVES, Limits, choices, part
from tools.measurements.end_of_turn.counts import CONDITIONS, Outcomes, outcomes
from tools.measurements.end_of_turn.family import family, rule, said
from tools.measurements.end_of_turn.material import Collection
from tools.measurements.end_of_turn.ranks import ranks
from tools.measurements.end_of_turn.unmet import Floats, Heard
from tools.measurements.end_of_turn.waits import fixed, judged, log_odds, public
from turbo_stream.segmentation.config import SegmenterConfig

FIXED_MS = (288, 352, 400, 480, 544, 600, 672, 736, 800)

HEADS = ("package", "unmet")
"""The head as it ships, and one that has not met what it judges."""

BELIEVED = float(log_odds(0.7))
"""Log-odds that the package believed when the rules beside the present one were made."""

BEFORE = rule(400, 1000, 500, BELIEVED)

OTHERS = {
    "before": BEFORE,
    "320 to 800": rule(320, 800, 500, BELIEVED + (640 - 320) / 500),
    "256 to 576": rule(256, 576, 275, BELIEVED + (576 - 256) / 275),
    "320 to 704": rule(320, 704, 500, 1.5),
}
"""Rules beside the present one, which is in `SegmenterConfig`."""

Part = Callable[[Collection], bool]
Parts = Mapping[str, Part]


def report(heard: Heard, unmet: Sequence[Floats], present: SegmenterConfig) -> dict[str, Any]:
    """Return all figures of `heard`; `present` is the rule as it is.

    `unmet`: the log-odds of each of the pauses by a head that has not met its collection.
    """
    package = [pauses.log_odds for _, pauses in heard]
    odds = dict(zip(HEADS, (package, unmet), strict=True))
    parts = dict(_parts(heard))
    silent = {f"fixed {ms}": _silent(heard, ms) for ms in FIXED_MS}
    named = {
        f"{name}, {head}": _judged(heard, config, odds[head])
        for head in HEADS
        for name, config in {**OTHERS, "this rule": present}.items()
    }
    tried = [
        (config, {head: _judged(heard, config, odds[head]) for head in HEADS})
        for config in family(BEFORE)
    ]
    rules = {**silent, **named}
    strange = [(config, found["unmet"]) for config, found in tried]
    commands: Parts = {"all commands": parts["all commands"]}
    return {
        "collections": {collection.name: asdict(collection) for collection, _ in heard},
        "pauses": sum(len(pauses) for _, pauses in heard),
        "rules": {name: _figures(found, parts) for name, found in rules.items()},
        "halves": {name: _figures(found, _halves()) for name, found in rules.items()},
        "rank": ranks(heard, odds),
        "public": _public(heard, rules),
        "tried": [
            {**said(config), **{head: _figures(found[head], commands) for head in HEADS}}
            for config, found in tried
        ],
        "chosen": list(choices(strange, Limits(silent["fixed 600"]))),
    }


def _parts(heard: Heard) -> Iterator[tuple[str, Part]]:
    """Yield the rows of the table: the collections that count together, and their sums."""
    for directed, together in ((True, "all commands"), (False, "all talk")):
        rows = dict.fromkeys(one.row for one, _ in heard if one.directed == directed)
        for row in rows:
            yield row, partial(_in_row, row)
        yield together, partial(_directed, directed)


def _halves() -> Parts:
    return {
        f"{what}, half {half}": part(half, directed=directed)
        for half in HALVES
        for what, directed in (("commands", True), ("talk", False))
    }


def _in_row(row: str, collection: Collection) -> bool:
    return collection.row == row


def _directed(directed: bool, collection: Collection) -> bool:
    return collection.directed == directed


def _silent(heard: Heard, wait_ms: float) -> Outcomes:
    return outcomes((one, pauses, fixed(pauses, wait_ms)) for one, pauses in heard)


def _judged(heard: Heard, config: SegmenterConfig, odds: Sequence[Floats]) -> Outcomes:
    return outcomes(
        (one, pauses, judged(config, pauses, said))
        for (one, pauses), said in zip(heard, odds, strict=True)
    )


def _figures(found: Outcomes, parts: Parts) -> dict[str, Any]:
    return {
        condition: {name: found.counts(of, condition).json() for name, of in parts.items()}
        for condition in CONDITIONS
    }


def _public(heard: Heard, rules: Mapping[str, Outcomes]) -> dict[str, Any] | None:
    """Return the figures where smart-turn was asked, with its own rule; None where nowhere."""
    asked = {one.name for one, pauses in heard if not np.isnan(pauses.public).any()}
    if not asked:
        return None
    own = outcomes((one, pauses, public(pauses)) for one, pauses in heard if one.name in asked)
    parts: Parts = {"asked": lambda one: one.name in asked}
    return {name: _figures(found, parts) for name, found in {"smart-turn": own, **rules}.items()}
