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


def bars(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a line a bar: `what`, `wanted`, `measured`, `reached` (None: not measured).

    `met` says how much of what the figure is made of its package was trained on: a bar that is
    reached on known collections is not reached.
    """
    return [*_of_pairs(report), *_of_words(report), *_of_calibration(report)]


def _line(what: str, wanted: float, measured: float | None, met: Any) -> dict[str, Any]:
    reached = None if measured is None else measured <= wanted
    return {"what": what, "wanted": wanted, "measured": measured, "reached": reached, "met": met}


def _under(what: str, by: float, found: Any, probe: Any, met: Any) -> dict[str, Any]:
    """Return the line of an equal error rate that must lie `by` under that of the probe."""
    wanted = None if probe is None else max(0.0, probe["eer"] - by)
    if wanted is None:
        return {"what": what, "wanted": None, "measured": None, "reached": None, "met": met}
    return _line(what, wanted, found["eer"], met)


def _of_pairs(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for pair in report["pairs"]:
        if f"{pair['directed']},{pair['not_directed']}" not in PAIRS:
            continue
        name, met = f"{pair['directed']} × {pair['not_directed']}", pair["met"]
        for way, said in _WAYS.items():
            found, title = pair[way], f"{name}, {said}"
            if found["fused"] is None:
                continue
            yield _line(f"{title}: EER", PAIR_EER, found["fused"]["eer"], met)
            yield _under(
                f"{title}: EER, {PAIR_UNDER_PROBE:.0%} under the probe",
                PAIR_UNDER_PROBE,
                found["fused"],
                found["probe"],
                met,
            )
            yield _line(f"{title}: FA@5", PAIR_LIMITED, found["fused"][LIMITED], met)


def _of_words(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("recut_test", "recut_matched"):
        found = report["called_or_mentioned"].get(name)
        if found is None:
            continue
        title = f"called or mentioned, {name.replace('_', ' ')}"
        yield _line(f"{title}: EER", CALLED_EER, found["fused"]["eer"], found["met"])
        yield _under(
            f"{title}: EER, {CALLED_UNDER_PROBE:.0%} under the probe",
            CALLED_UNDER_PROBE,
            found["fused"],
            found["probe"],
            found["met"],
        )


def _of_calibration(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for way, found in report["calibration"].items():
        error = found["figures"]["ece"]
        yield _line(f"calibration error, {_WAYS[way]}", CALIBRATION_ERROR, error, found["met"])
