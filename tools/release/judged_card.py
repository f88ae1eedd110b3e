"""The part of the shipped card that `judgement.json` of `tools.judge` fills."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.export.card import percent
from tools.judge.figures import LIMITED
from tools.judge.page import known_items, known_sides, with_range

_WAYS = {
    "recorded": "as recorded",
    "channel": "both through one random channel",
    "alike": "one channel and one length, recognized anew",
}
_WORDS = {"recut_test": "test callers", "recut_matched": "as many of each word"}
_TOLD = {"own": "its name", "none": "no name", "other": "another's name"}


def judged(report: Mapping[str, Any]) -> str:
    """Return the sections on what a package does with recordings of many collections."""
    return "\n".join(
        [
            "## On recordings of many collections",
            "",
            "Equal error rates with 95 % intervals over groups of speakers. A collection under "
            "*known* was in the training of the package that scored it, or chose its weights, "
            "calibration or thresholds, so that the row proves little. The probe hears no words, "
            "only length, margins, level, noise and long-term spectrum, and is cross-validated on "
            "the very pair: it shows how far the two collections give themselves away. FA@5: false "
            "accepts where 5 % of the commands are rejected.",
            "",
            *_table(
                ("pair", "", "items", "known", "probe", "audio", "text", "fused", "FA@5"),
                _pairs(report["pairs"]),
            ),
            *_called(report["called_or_mentioned"]),
            *_conditions(report["conditions"], report["short"]),
            *_names(report["names"]),
            *_calibration(report["calibration"]),
        ]
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [*("| " + " | ".join(line) + " |" for line in lines), ""]


def _pairs(pairs: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[str]]:
    for pair in pairs:
        name = f"{pair['directed']} × {pair['not_directed']}"
        for way, said in _WAYS.items():
            found = pair.get(way)
            if found is not None:
                yield (
                    name,
                    said,
                    str(found["fused"]["n"]),
                    known_sides(pair),
                    *(with_range(found[mode]) for mode in ("probe", "audio", "text", "fused")),
                    with_range(found["fused"], LIMITED),
                )


def _called(sets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    rows = [
        (
            said,
            str(sets[name]["fused"]["n"]),
            known_items(sets[name]),
            *(with_range(sets[name][mode]) for mode in ("probe", "audio", "fused")),
        )
        for name, said in _WORDS.items()
        if name in sets
    ]
    if not rows:
        return []
    return [
        "The same word called out or merely mentioned by the same callers, cut out alike:",
        "",
        *_table(("", "items", "of them known", "probe", "audio", "fused, true word"), rows),
    ]


def _conditions(conditions: Mapping[str, Any], short: Mapping[str, Any]) -> list[str]:
    rows = [
        (name, with_range(found["clean"]), with_range(found["under"]))
        for name, found in conditions["rows"].items()
        if found is not None
    ]
    words = short["words"]
    rows.append(
        (
            f"at most {words} words, against longer ones",
            with_range(short["longer"]),
            with_range(short["short"]),
        )
    )
    return [
        "Hard conditions, fused, on the same recordings with and without:",
        "",
        *_table(("condition", "without", "with"), rows),
    ]


def _names(names: Mapping[str, Any]) -> list[str]:
    rows = [
        (kind, str(row["n"]), *(percent(row[told]["accepted"]) for told in _TOLD))
        for kind, row in names["fused"]["rows"].items()
    ]
    return [
        "Accepted of real recordings where the device is told",
        "",
        *_table(("what is said", "items", *_TOLD.values()), rows),
    ]


def _calibration(calibration: Mapping[str, Any]) -> list[str]:
    errors = ", ".join(
        f"{percent(found['figures']['ece'])} {_WAYS[way]}" for way, found in calibration.items()
    )
    found = calibration["recorded"]
    rows = [
        (
            f"`{name}`",
            f"{point['threshold']:.3f}",
            *(
                percent(point[when][rate])
                for rate in ("false_accept", "false_reject")
                for when in ("promised", "measured")
            ),
        )
        for name, point in found["operating_points"].items()
    ]
    header = ("operating point", "threshold", "false accepts", "here", "false rejects", "here")
    return [
        f"Expected calibration error: {errors}. The operating points as promised when they were "
        "set, and on these recordings:",
        "",
        *_table(header, rows),
    ]
