"""Which cuts may stand against each other, and which learn and which are asked."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]


def mark_shared(rows: Sequence[Row]) -> None:
    """Set `shared` on every row: whether its group has cuts of both labels."""
    labels = defaultdict(set)
    for row in rows:
        labels[row["group"]].add(row["label"])
    for row in rows:
        row["shared"] = len(labels[row["group"]]) > 1


def mark_folds(rows: Sequence[Row], test_share: float, seed: int) -> None:
    """Set `fold` to `test` on a share of the shared groups, to `train` on all others."""
    groups = sorted({str(row["group"]) for row in rows if row["shared"]}, key=_order(seed))
    held = set(groups[: round(test_share * len(groups))])
    for row in rows:
        row["fold"] = "test" if str(row["group"]) in held else "train"


def mark_matched(rows: Sequence[Row], seed: int) -> None:
    """Set `matched` so that in each fold every word has as many shared rows of each label.

    Otherwise the word itself would say something: some are called more often than mentioned.
    """
    cells: dict[tuple, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        row["matched"] = False
        if row["shared"]:
            cells[row["fold"], row["text"]][row["label"]].append(row)
    draw = random.Random(seed)
    for cell in sorted(cells):
        classes = cells[cell]
        if len(classes) < 2:
            continue
        fewest = min(map(len, classes.values()))
        for label in sorted(classes):
            for row in draw.sample(classes[label], fewest):
                row["matched"] = True


def _order(seed: int) -> Callable[[str], str]:
    return lambda group: hashlib.sha256(f"{seed}/{group}".encode()).hexdigest()
