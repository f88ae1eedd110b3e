"""Which speakers, or other units, are held out: the same ones whenever that is asked."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable


def stable_share(text: str) -> float:
    """Map a string to [0, 1), always the same: for splits that survive a reordering."""
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) / 2**32


def held_units(rows: Iterable[tuple[str, int]], share: float) -> set[str]:
    """Return the units whose rows make up about `share` of every class of `rows`.

    A row is its unit and its class. Whole units are taken in an order that never changes, while a
    class still lacks rows and gains more than the others lose; then, for a class that got none,
    its smallest unit.
    """
    units: dict[str, Counter[int]] = defaultdict(Counter)
    for unit, label in rows:
        units[unit][label] += 1
    total = sum(units.values(), Counter[int]())
    lacking = {label: max(1.0, share * count) for label, count in total.items()}
    chosen: set[str] = set()
    for unit in sorted(units, key=stable_share):
        counts = units[unit]
        gain = sum(min(count, max(0.0, lacking[label])) for label, count in counts.items())
        if gain > counts.total() / 2:
            chosen.add(unit)
            for label, count in counts.items():
                lacking[label] -= count
    for label in total:
        if not any(units[unit][label] for unit in chosen):
            having = (unit for unit in units if units[unit][label])
            chosen.add(min(having, key=lambda unit: (units[unit].total(), unit)))
    return chosen
