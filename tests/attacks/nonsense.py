"""JSON with something in it that does not belong there, and how it may be written."""

import copy
import json
from typing import Any

import numpy as np

HOSTILE_TEXTS = [
    "", " ", "\0", "\n", "a\nb\r", "\x1b[2J\x1b]0;x\a", "\u202edetcerid", "\u2066a\u2069", "\ufeff",
    "\ud800", "\udcff", "\u0301" * 50, "x" * 5_000, "directed\u200b", "Directed ", "../../etc/x",
    "/dev/zero", "C:\\x", "a/../b", ".hidden/x", "%s%n{0}", "$(id)", "'; DROP TABLE x; --", "=1+1",
    "<script>fetch('//x.invalid')</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "null", "NaN", "1e999", "-1", "0x10", "٣", "🙂" * 40, "</style><svg onload=alert(1)>",
]  # fmt: skip

_VALUES = [
    None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e-300, 1e300, -1e300, float("nan"), float("inf"),
    float("-inf"), 2**31, 2**53, 2**63, 2**64, 10**30, 10**400, -(10**400), [], {}, [[]], [{}],
    {"": ""}, [None] * 300, [0, 0], [1e308, -1e308], ["a", "a"], {"a": {"a": {"a": []}}},
]  # fmt: skip
"""Of every type, and at the edges of what one holds."""


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every object or list inside `value`, with a key or index of it."""
    found = []
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        found.append((value, key))
        if isinstance(value[key], dict | list):
            found += _places(value[key])
    return found


def _odd(chance: np.random.Generator) -> Any:
    if chance.random() < 0.4:
        return HOSTILE_TEXTS[chance.integers(len(HOSTILE_TEXTS))]
    if chance.random() < 0.03:
        deep: Any = []
        for _ in range(int(chance.choice([40, 60, 120]))):
            deep = [deep]
        return deep
    return copy.deepcopy(_VALUES[chance.integers(len(_VALUES))])


def with_nonsense(good: Any, chance: np.random.Generator) -> Any:
    """A copy of an object or list in which up to three values or keys are others, or gone."""
    found = copy.deepcopy(good)
    for _ in range(chance.integers(1, 4)):
        places = _places(found)
        if not places:
            break
        inside, key = places[chance.integers(len(places))]
        kind = chance.integers(6)
        if kind == 0:
            del inside[key]
        elif kind == 1 and isinstance(inside, dict):
            inside[HOSTILE_TEXTS[chance.integers(len(HOSTILE_TEXTS))]] = inside.pop(key)
        elif kind == 2:
            other, name = places[chance.integers(len(places))]
            if name in other if isinstance(other, dict) else name < len(other):
                inside[key] = copy.deepcopy(other[name])
        else:
            inside[key] = _odd(chance)
    return found


def written(value: Any, chance: np.random.Generator) -> bytes:
    """`value` as JSON in one of the ways in which programs write it."""
    plain = bool(chance.random() < 0.7)
    text = json.dumps(value, ensure_ascii=plain)
    encoding = "utf-8" if chance.random() < 0.9 else str(chance.choice(["utf-8-sig", "utf-16"]))
    return text.encode(encoding, "surrogatepass")
