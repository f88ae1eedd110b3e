"""The pictures of a report, for models with and without the label `directed`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.detection.package import DIRECTED
from turbo_stream.evaluation.corpus.rows import BinaryItems, Row
from turbo_stream.evaluation.figures._multiclass import ClassItems
from turbo_stream.evaluation.report.learning_plot import learning_plot
from turbo_stream.evaluation.report.page import number, percent
from turbo_stream.evaluation.report.plots import det_plot, hours_plot, reliability_plot, scores_plot

_MOST_CURVES = 8
"""Classes that one plot shows; more would hide each other. The most frequent are taken."""


@dataclass(frozen=True)
class Plot:
    """A picture with its words."""

    name: str
    """File name."""
    png: bytes
    caption: str
    alt: str
    """What the picture says, for those who do not see it."""


def report_plots(
    items: Sequence[Row], metrics: Mapping[str, Any], run: Mapping[str, Any]
) -> list[Plot]:
    """Return `det.png`, `scores.png`, `reliability.png`, and `hours.png` of long recordings."""
    binary = BinaryItems.from_rows(items)
    classes = ClassItems.from_rows(items)
    if binary is None and classes is not None:
        return _class_plots(classes, metrics)
    truths = np.zeros(0, bool) if binary is None else binary.truths
    scores = np.zeros(0) if binary is None else binary.scores
    threshold = run.get("threshold")
    points = operating_points(run)
    at = metrics["at_threshold"]
    return [
        *_hours(metrics.get("stream"), threshold),
        *_learning(metrics),
        Plot(
            "det.png",
            det_plot({DIRECTED: (truths, scores)}, points),
            "Detection error trade-off: every threshold is a point; down and left is better.",
            f"DET curve. Equal error rate {percent(metrics['eer'])}. At the threshold in use "
            f"{percent(at['false_accept'])} false accepts, {percent(at['false_reject'])} false "
            "rejects.",
        ),
        Plot(
            "scores.png",
            scores_plot(_by_label(items), threshold, "Directed probability"),
            "Scores by class: what lies on the wrong side of the threshold is a mistake.",
            f"Histogram of the directed probability by label, threshold {number(threshold, 3)}.",
        ),
        Plot(
            "reliability.png",
            reliability_plot(truths, scores, "meant for the device"),
            "Reliability: of utterances given probability p, the fraction p should be directed.",
            f"Reliability diagram. Expected calibration error {number(metrics['ece'], 4)}.",
        ),
    ]


def _hours(stream: Mapping[str, Any] | None, threshold: float | None) -> list[Plot]:
    if stream is None:
        return []
    rate, missed = stream["false_accepts_per_hour"], stream["false_reject"]
    return [
        Plot(
            "hours.png",
            hours_plot(stream["curve"], (rate, missed), stream["hours"]),
            "False accepts an hour against commands that were missed: every threshold is a point.",
            f"At the threshold in use, {number(threshold, 3)}, {number(rate, 2)} false accepts an "
            f"hour and {percent(missed)} of the commands missed.",
        )
    ]


def _learning(metrics: Mapping[str, Any]) -> list[Plot]:
    curves = {"all": metrics.get("learn"), **(metrics.get("learn_per_source") or {})}
    drawn = {name: curve for name, curve in curves.items() if curve}
    if not drawn:
        return []
    last, line = list(drawn[next(iter(drawn))].items())[-1]
    return [
        Plot(
            "learn.png",
            learning_plot(drawn),
            "Learning in place: the error on people who gave no example; bars hold 95 % of houses.",
            f"Equal error rate {percent(line['eer'])} after {last} examples of each class.",
        )
    ]


def operating_points(run: Mapping[str, Any]) -> dict[str, float]:
    """Return the threshold in use and those of the package, by what to call them."""
    named: dict[float, list[str]] = {}
    if run.get("threshold") is not None:
        named[float(run["threshold"])] = ["in use"]
    for name, point in (run.get("operating_points") or {}).items():
        named.setdefault(float(point["threshold"]), []).append(name)
    return {", ".join(names): threshold for threshold, names in named.items()}


def _class_plots(items: ClassItems, metrics: Mapping[str, Any]) -> list[Plot]:
    counts = np.bincount(items.truths, minlength=len(items.labels))
    shown = [int(i) for i in np.argsort(-counts, kind="stable")[:_MOST_CURVES] if counts[i]]
    curves = {
        items.labels[i]: (np.asarray(items.truths == i), items.probabilities[:, i]) for i in shown
    }
    own = items.probabilities[np.arange(len(items.truths)), items.truths]
    found = metrics["multiclass"]
    return [
        Plot(
            "det.png",
            det_plot(curves, {}),
            "Detection error trade-off of each label against all others.",
            f"DET curves of {len(shown)} labels. WA {percent(found['wa'])}, UA "
            f"{percent(found['ua'])}.",
        ),
        Plot(
            "scores.png",
            scores_plot(
                {items.labels[i]: own[items.truths == i] for i in shown},
                None,
                "Probability given to the true label",
            ),
            "What probability the true label got.",
            "Histogram of the probability of the true label, by label.",
        ),
        Plot(
            "reliability.png",
            reliability_plot(items.right, items.confidences, "right"),
            "Reliability: of guesses given probability p, the fraction p should be right.",
            f"Reliability diagram. Expected calibration error {number(found['ece'], 4)}.",
        ),
    ]


def _by_label(items: Iterable[Row]) -> dict[str, NDArray[np.float64]]:
    scores: dict[str, list[float]] = {}
    for item in items:
        if item.get("directed_probability") is not None:
            scores.setdefault(item["label"], []).append(item["directed_probability"])
    # `directed` first, so that it always has the same colour.
    order = sorted(scores, key=lambda label: (label != DIRECTED, -len(scores[label])))
    return {label: np.array(scores[label], np.float64) for label in order[:_MOST_CURVES]}
