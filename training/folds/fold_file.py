"""Fold files: JSON that says, fold by fold, which rows are the test set."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data.row import Row
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.held_out import stable_share

_SHIPPED = Path(__file__).parent


@dataclass(frozen=True)
class FoldFile:
    """Folds by the values of one column of the manifests.

    As JSON: `{"name", "column", "folds": [{"test": [VALUE, ...]}, ...], "dev", "keep_apart",
    "exclude"}`, where `dev` is a list of values of the same column, or `{"share": 0.1, "by":
    COLUMN}`; a fold may have a `dev` of its own, a list of such lists: `[[VALUE, ...], ...]`. A
    VALUE is one of the column, or `VALUE:LABEL` for its rows of that label alone.
    """

    name: str
    """What the folds are called."""

    column: str
    """Column of the manifests; `group` and `text` mean those of `Row`."""

    tests: tuple[tuple[str, ...], ...]
    """Of each fold the values of `column` whose rows test."""

    devs: tuple[tuple[tuple[str, ...], ...], ...]
    """Of each fold the parts of its development set: the values of `column` whose rows choose the
    weights, an error rate a part; no part for a share of the rest."""

    dev_share: float
    """Share of the rest that chooses, where a fold has no part."""

    dev_by: str
    """Column whose values are then taken whole."""

    keep_apart: tuple[str, ...]
    """Columns: a row that shares a value of one with a test row (or, to be trained on, with a
    development row) is left out."""

    exclude: tuple[str, ...] = ()
    """Values of `column` that no fold uses."""

    @property
    def by_collection(self) -> bool:
        """Whether whole collections are tested: then nothing of them may be known, see `split`."""
        return self.column == "set"

    def chooses(self, fold: int) -> frozenset[str]:
        """Return the values of `column` whose rows choose the weights of a fold, without labels."""
        return frozenset(value.partition(":")[0] for part in self.devs[fold] for value in part)


def read_folds(name: str) -> FoldFile:
    """Return the fold file at a path, or the shipped one of that name.

    Raises:
        InputError: there is none, or it is not what it should be.
    """
    path = _SHIPPED / f"{name}.json" if name in shipped_folds() else Path(name)
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"fold file {name} cannot be read ({error.strerror or error}); give a path, or one of "
            f"{', '.join(shipped_folds())}"
        ) from error
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}); see python -m training.folds") from error
    return parse_folds(content, path)


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
            "column, or fewer folds"
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


def _strings(value: Any, path: Path, what: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, (str, int)) for item in value):
        raise InputError(f"{path}: {what} is {value!r:.60}; give a list of texts")
    return tuple(str(item) for item in value)


def parse_folds(content: Any, path: Path) -> FoldFile:
    """Return the folds of a parsed file.

    Raises:
        InputError: something is missing or of the wrong kind, or a value tests in two folds.
    """
    try:
        tests = [_strings(fold["test"], path, "test") for fold in content["folds"]]
        dev = content.get("dev", {"share": 0.1})
        for_all = [dev] if isinstance(dev, list) else []
        devs = [
            tuple(_strings(part, path, "a part of dev") for part in fold.get("dev", for_all))
            for fold in content["folds"]
        ]
        found = FoldFile(
            name=content["name"],
            column=content["column"],
            tests=tuple(tests),
            devs=tuple(devs),
            dev_share=0.0 if isinstance(dev, list) else float(dev["share"]),
            dev_by="group" if isinstance(dev, list) else dev.get("by", "group"),
            keep_apart=_strings(content.get("keep_apart", ["group"]), path, "keep_apart"),
            exclude=_strings(content.get("exclude", []), path, "exclude"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} is no fold file ({type(error).__name__}: {error}); give name, column, folds "
            "with test, and optionally dev, keep_apart and exclude"
        ) from error
    _check(found, path)
    return found


def _check(folds: FoldFile, path: Path) -> None:
    """Raise InputError for folds that test nothing, or the same twice, or choose by their test.

    A collection may be tested beside several others, any other value in one fold only.
    """
    values = [value for test in folds.tests for value in test]
    if folds.by_collection:
        values = [" × ".join(sorted(test)) for test in folds.tests]
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice or not all(folds.tests) or not folds.tests:
        reason = f"{', '.join(twice)} tests twice" if twice else "a fold has no test"
        raise InputError(f"{path}: {reason}; give every fold values of its own")
    for index, (test, parts) in enumerate(zip(folds.tests, folds.devs, strict=True)):
        both = sorted(set(test) & {value for part in parts for value in part})
        if both:
            raise InputError(
                f"{path}, fold {index}: {', '.join(both)} is in test and in dev; choose the "
                "weights by others"
            )


def shipped_folds() -> list[str]:
    """Return the names of the fold files that lie here."""
    return sorted(path.stem for path in _SHIPPED.glob("*.json"))
