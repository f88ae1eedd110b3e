"""Folds by the values of a column, every class balanced over them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from training.data.row import Row, stable_share
from turbo_stream.errors import InputError


def make_folds(rows: Sequence[Row], column: str, count: int, *, name: str) -> dict[str, Any]:
    """Return the content of a fold file: `count` folds by the values of `column`.

    Values are dealt out whole, the largest first, each to the fold in which its classes are rarest.
    The same rows give the same folds, in any order.

    Raises:
        InputError: the column is missing, or has fewer values than folds.
    """
    units: dict[str, Counter[int]] = defaultdict(Counter)
    for row in rows:
        value = row.key(column)
        if value is not None:
            units[value][row.label] += 1
    if len(units) < count:
        raise InputError(
            f"column {column} has {len(units)} values, too few for {count} folds; give another "
            "--column, or fewer --folds"
        )
    total = sum(units.values(), Counter())
    dealt: list[list[str]] = [[] for _ in range(count)]
    held: list[Counter[int]] = [Counter() for _ in range(count)]
    for value in sorted(units, key=lambda v: (-units[v].total(), stable_share(v), v)):

        def load(fold: int, value: str = value) -> tuple[float, int]:
            after = held[fold] + units[value]
            return sum((after[label] / total[label]) ** 2 for label in total), len(dealt[fold])

        chosen = min(range(count), key=load)
        dealt[chosen].append(value)
        held[chosen] += units[value]
    return {
        "name": name,
        "column": column,
        "folds": [{"test": sorted(values)} for values in dealt],
        "dev": {"share": 0.15, "by": column},
        "keep_apart": sorted({column, "group"}) if column != "group" else ["group"],
    }
