"""The bars that were set before anything was measured, and where a package stands to them."""

from collections.abc import Iterator, Mapping
from typing import Any

from tools.judge.figures import LIMITED
from training.folds.split import PAIRS

PAIR_EER, PAIR_UNDER_PROBE = 0.15, 0.15
"""Of fused on a fixed pair: at most, and at least so much under the probe."""

PAIR_LIMITED = 0.05
"""False accepts at 5 % false rejects, at most."""

CALLED_EER, CALLED_UNDER_PROBE = 0.20, 0.10
"""Of fused on words called or mentioned, cut out alike."""

CALIBRATION_ERROR = 0.08
"""Expected calibration error over the items as they are, at most."""

_WAYS = {"recorded": "as recorded", "channel": "one channel", "alike": "one channel and length"}


Known = Mapping[str, Any]
"""A part of the report, by its `met` and `chose`: what of it the package was trained on, and what
chose the package."""


def bars(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a line a bar: `what`, `wanted`, `measured`, `reached` (None: not measured).

    `known` says whether its package was trained on, or chosen by, some of what the figure is made
    of: a bar that is reached there is not reached.
    """
    return [*_of_pairs(report), *_of_words(report), *_of_calibration(report)]


def _line(what: str, wanted: float | None, measured: float | None, of: Known) -> dict[str, Any]:
    reached = None if measured is None or wanted is None else measured <= wanted
    return {
        "what": what,
        "wanted": wanted,
        "measured": measured,
        "reached": reached,
        "known": bool(of["met"] or of["chose"]),
    }


def _under(what: str, by: float, found: Any, probe: Any, of: Known) -> dict[str, Any]:
    """Return the line of an equal error rate that must lie `by` under that of the probe."""
    wanted = None if probe is None else max(0.0, probe["eer"] - by)
    return _line(what, wanted, None if wanted is None else found["eer"], of)


def _of_pairs(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for pair in report["pairs"]:
        if f"{pair['directed']},{pair['not_directed']}" not in PAIRS:
            continue
        name = f"{pair['directed']} × {pair['not_directed']}"
        for way, said in _WAYS.items():
            found, title = pair[way], f"{name}, {said}"
            if found["fused"] is None:
                continue
            yield _line(f"{title}: EER", PAIR_EER, found["fused"]["eer"], pair)
            yield _under(
                f"{title}: EER, {PAIR_UNDER_PROBE:.0%} under the probe",
                PAIR_UNDER_PROBE,
                found["fused"],
                found["probe"],
                pair,
            )
            yield _line(f"{title}: FA@5", PAIR_LIMITED, found["fused"][LIMITED], pair)


def _of_words(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("recut_test", "recut_matched"):
        found = report["called_or_mentioned"].get(name)
        if found is None:
            continue
        title = f"called or mentioned, {name.replace('_', ' ')}"
        yield _line(f"{title}: EER", CALLED_EER, found["fused"]["eer"], found)
        yield _under(
            f"{title}: EER, {CALLED_UNDER_PROBE:.0%} under the probe",
            CALLED_UNDER_PROBE,
            found["fused"],
            found["probe"],
            found,
        )


def _of_calibration(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for way, found in report["calibration"].items():
        error = found["figures"]["ece"]
        yield _line(f"calibration error, {_WAYS[way]}", CALIBRATION_ERROR, error, found)
