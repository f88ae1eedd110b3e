"""Two runs side by side, on the items that both scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.files import write_json, write_text
from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.part import Part
from turbo_stream.evaluation.corpus.rows import BinaryItems, Row, is_scored, read_run
from turbo_stream.evaluation.figures._multiclass import ClassItems, weighted_multiclass
from turbo_stream.evaluation.figures._slices import figures
from turbo_stream.evaluation.figures._stream_figures import read_recordings
from turbo_stream.evaluation.figures._summary import STREAM
from turbo_stream.evaluation.figures.bootstrap import Figures, WeightedBinary, bootstrap, intervals
from turbo_stream.evaluation.report.page import render_page

COMPARISON_NAME = "compare.json"
COMPARISON_PAGE_NAME = "compare.html"
_CHANGED_SHOWN = 200

NAMES = {
    "eer": "Equal error rate",
    "auc": "AUC",
    "false_accept": "False accepts at own threshold",
    "false_reject": "False rejects at own threshold",
    "false_accept_at_false_reject_0.01": "False accepts at 1 % false rejects",
    "false_accept_at_false_reject_0.05": "False accepts at 5 % false rejects",
    "false_accept_at_false_reject_0.10": "False accepts at 10 % false rejects",
    "false_reject_at_false_accept_0.01": "False rejects at 1 % false accepts",
    "false_reject_at_false_accept_0.05": "False rejects at 5 % false accepts",
    "false_reject_at_false_accept_0.10": "False rejects at 10 % false accepts",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "ece": "Calibration error",
    "wa": "Weighted accuracy (WA)",
    "ua": "Unweighted accuracy (UA)",
}
"""What is compared, and how it is called; of these the accuracies and AUC are better when high."""

_HIGH_IS_GOOD = frozenset({"auc", "accuracy", "balanced_accuracy", "wa", "ua"})


@dataclass(frozen=True)
class _Run:
    """One of the two, reduced to items that can be told apart."""

    folder: Path
    run: Mapping[str, Any]
    stream: Mapping[str, Any] | None
    items: Mapping[tuple[object, ...], Row]

    @classmethod
    def read(cls, folder: Path) -> _Run:
        rows, metrics = read_run(folder)
        run = metrics.get("run")
        if not isinstance(run, dict):
            raise InputError(f"{folder}: metrics.json has no 'run'; evaluate this folder again")
        if run.get("mode") == STREAM:
            spans = (span for recording in read_recordings(rows) for span in recording.span_items())
            scored: list[Row] = [span for span in spans if is_scored(span)]
        else:
            scored = [row for row in rows if is_scored(row) and row.get("label")]
        items: dict[tuple[object, ...], Row] = {}
        seen: dict[tuple[object, ...], int] = {}
        for row in scored:
            key: tuple[object, ...] = (Part.of(row), row.get("start_s"), row.get("end_s"))
            # The same clip may stand in a manifest several times.
            seen[key] = seen.get(key, 0) + 1
            items[(*key, seen[key])] = row
        return cls(folder, run, metrics.get("stream"), items)


def compare(dir_a: Path, dir_b: Path, out: Path) -> dict[str, Any]:
    """Write `compare.json` and `compare.html` into `out`; return the content of the former.

    Differences are B - A, on the items that both runs scored and label alike, each run at its own
    threshold, with paired bootstrap intervals: every draw takes the same items for both. In
    stream mode the items are the labelled spans that both runs found.

    Raises:
        InputError: a folder is no finished run, the runs are of different modes, or they have no
            item in common.
    """
    a, b = _Run.read(dir_a), _Run.read(dir_b)
    if a.run.get("mode") != b.run.get("mode"):
        raise InputError(
            f"{dir_a} is a run in {a.run.get('mode')} mode and {dir_b} one in "
            f"{b.run.get('mode')} mode; compare runs of one mode"
        )
    common = [key for key in a.items if key in b.items]
    agreed = [key for key in common if a.items[key]["label"] == b.items[key]["label"]]
    if not agreed:
        raise InputError(
            f"{dir_a} and {dir_b} have no scored item in common (audio_filepath, offset, duration "
            "and label must be equal); compare runs over the same manifest"
        )
    rows_a, rows_b = ([side.items[key] for key in agreed] for side in (a, b))
    changed = _changed(rows_a, rows_b, a.run, b.run)
    counts = {
        effect: sum(item["effect"] == effect for item in changed)
        for effect in ("fixed", "broken", "still_wrong")
    }
    result = {
        "a": _side(a, rows_a),
        "b": _side(b, rows_b),
        "n_common": len(agreed),
        "n_only_a": len(a.items) - len(common),
        "n_only_b": len(b.items) - len(common),
        "n_label_differs": len(common) - len(agreed),
        "differences": _differences(rows_a, rows_b, a.run, b.run),
        "n_changed": len(changed),
        "n_fixed": counts["fixed"],
        "n_broken": counts["broken"],
        "mcnemar_p": _mcnemar(counts["fixed"], counts["broken"]),
        "changed": changed,
    }
    page = render_page(
        "compare.html",
        title="Comparison of two evaluations",
        result=result,
        names=NAMES,
        good={name: _change(name, line) for name, line in result["differences"].items()},
        settings=_settings(a.run, b.run),
        shown=_CHANGED_SHOWN,
    )
    write_text(out / COMPARISON_PAGE_NAME, page)
    write_json(out / COMPARISON_NAME, result)
    return result


def _side(side: _Run, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "folder": side.folder.name,
        "run": dict(side.run),
        "figures": figures(rows, side.run.get("threshold")),
        "stream": side.stream,
    }


def _differences(
    rows_a: Sequence[Row], rows_b: Sequence[Row], run_a: Mapping[str, Any], run_b: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `a`, `b`, `difference` and its `ci95` of every figure that both runs have."""
    found: dict[str, Any] = {}
    binary_a, binary_b = BinaryItems.from_rows(rows_a), BinaryItems.from_rows(rows_b)
    if binary_a is not None and binary_b is not None:
        sides = [
            WeightedBinary(items.truths, items.scores, run.get("threshold"))
            for items, run in ((binary_a, run_a), (binary_b, run_b))
        ]
        found |= _paired(binary_a.groups, sides[0].figures, sides[1].figures)
    classes_a, classes_b = ClassItems.from_rows(rows_a), ClassItems.from_rows(rows_b)
    if classes_a is not None and classes_b is not None:
        found |= _paired(
            classes_a.groups,
            lambda weights: weighted_multiclass(classes_a, weights),
            lambda weights: weighted_multiclass(classes_b, weights),
        )
    return {name: found[name] for name in NAMES if name in found}


def _paired(groups: NDArray[np.int64], of_a: Any, of_b: Any) -> dict[str, Any]:
    def both(weights: NDArray[np.float64]) -> Figures:
        a, b = of_a(weights), of_b(weights)
        return {name: b[name] - a[name] for name in a if name in b}

    once = np.ones((1, len(groups)))
    values_a, values_b = of_a(once), of_b(once)
    ranges = intervals(groups, bootstrap(groups, both))
    return {
        name: {
            "a": _defined(values_a[name][0]),
            "b": _defined(values_b[name][0]),
            "difference": _defined(values_b[name][0] - values_a[name][0]),
            "ci95": ci95,
        }
        for name, ci95 in ranges.items()
    }


def _changed(
    rows_a: Sequence[Row], rows_b: Sequence[Row], run_a: Mapping[str, Any], run_b: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return the items decided differently, those that changed most first."""
    changed = []
    for row_a, row_b in zip(rows_a, rows_b, strict=True):
        a, b = _decision(row_a, run_a), _decision(row_b, run_b)
        if a == b:
            continue
        right_a, right_b = (_is_right(decision, row_a["label"]) for decision in (a, b))
        effect = "fixed" if right_b else "broken" if right_a else "still_wrong"
        changed.append(
            {
                **{
                    column: row_a[column]
                    for column in ("audio_filepath", "offset", "start_s", "end_s")
                    if row_a.get(column) is not None
                },
                "label": row_a["label"],
                "effect": effect,
                "a": _shown(row_a, a),
                "b": _shown(row_b, b),
            }
        )
    return sorted(changed, key=lambda item: -_distance(item["a"], item["b"]))


def _decision(row: Row, run: Mapping[str, Any]) -> str:
    score, threshold = row.get("directed_probability"), run.get("threshold")
    if score is not None and threshold is not None:
        return "accepted" if score >= threshold else "rejected"
    probabilities = row.get("probabilities") or {}
    return max(probabilities, key=probabilities.__getitem__, default="undecided")


def _is_right(decision: str, label: str) -> bool:
    if decision in ("accepted", "rejected"):
        return (decision == "accepted") == (label == DIRECTED)
    return decision == label


def _shown(row: Row, decision: str) -> dict[str, Any]:
    probabilities = row.get("probabilities") or {}
    score = row.get("directed_probability")
    return {
        "decision": decision,
        "probability": probabilities.get(decision) if score is None else score,
        "text_used": row.get("text_used"),
    }


def _distance(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    return abs(float(a["probability"] or 0.0) - float(b["probability"] or 0.0))


def _mcnemar(fixed: int, broken: int) -> float | None:
    """Return the exact two-sided p of McNemar's test, items taken as independent."""
    if not fixed + broken:
        return None
    from scipy.stats import binomtest

    return float(binomtest(fixed, fixed + broken).pvalue)


def _change(name: str, line: Mapping[str, Any]) -> str:
    """Say whether B is `better` or `worse` for certain: the interval leaves out 0."""
    ends = line["ci95"]
    if ends is None or ends[0] <= 0 <= ends[1]:
        return ""
    return "better" if (ends[0] > 0) == (name in _HIGH_IS_GOOD) else "worse"


def _settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Return name, value of A, value of B, and whether they differ."""
    names = dict.fromkeys((*a, *b))
    return [(n, str(a.get(n, "")), str(b.get(n, "")), a.get(n) != b.get(n)) for n in names]


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
