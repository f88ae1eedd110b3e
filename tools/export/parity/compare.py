"""The parity report: what became of the network on its way into the package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.turbo import Turbo
from tools.export.parity.footprint import latencies_ms, length_key
from tools.export.parity.item import Item, open_graph
from tools.export.parity.logits import graph_logits, network_logits, states_width
from tools.export.parity.sets import Sets
from tools.export.quantization import Candidate, choose
from training.fitting.metrics import Affine
from turbo_stream.evaluation.figures.binary import ErrorCurve, expected_calibration_error
from turbo_stream.evaluation.figures.bootstrap import WeightedBinary, bootstrap, interval

FLOAT = "fp32"
"""Name of the float graph beside those of the quantizations."""

_NETWORK_ITEMS = 200
"""Items that PyTorch scores, too: it is the slowest, and either all agree or none."""


@dataclass(frozen=True)
class Decision:
    """How logits become a decision."""

    calibration: Affine
    """Maps logits to probabilities, both `[N, K]`."""

    directed: int | None = None
    """Index of the class of speech to the device; None where the labels are others."""

    threshold: float | None = None
    """Its probability from which on speech is accepted."""


@dataclass(frozen=True)
class Comparison:
    """A report and the scores it was made of."""

    report: dict[str, Any]
    """What goes into the package."""

    probabilities: dict[str, NDArray[np.float64]]
    """Of every graph by its name, `[N, K]` on the test items."""


def compare(
    model: Turbo,
    graphs: Mapping[str, Path],
    sets: Sets,
    decision: Decision,
    *,
    wanted: str | None = None,
    rounds: int = 20,
) -> Comparison:
    """Compare `graphs` (`fp32` and one or more quantizations) on the test items.

    `wanted` names the quantization that the package gets; None chooses by `choice.choose`. The
    figures of the chosen one stand at the top of the report, those of all under `quantization`.

    Raises:
        QuantizationError: nothing was named and every quantization loses too much.
    """
    items = sets.test
    some = items[:: max(1, len(items) // _NETWORK_ITEMS)]
    logits = {name: graph_logits(path, items) for name, path in graphs.items()}
    truth = network_logits(model, some)
    same = logits[FLOAT][:: max(1, len(items) // _NETWORK_ITEMS)]
    probabilities = {name: decision.calibration(found) for name, found in logits.items()}
    systems = {name: open_graph(path) for name, path in graphs.items()}
    latency = latencies_ms(systems, rounds=rounds, states_width=states_width(model))
    candidates: dict[str, dict[str, Any]] = {}
    for name, path in graphs.items():
        if name == FLOAT:
            continue
        difference = np.abs(logits[FLOAT] - logits[name])
        candidates[name] = {
            "bytes": path.stat().st_size,
            "max_logit_difference": float(difference.max()),
            **compare_scores(
                items,
                probabilities[FLOAT],
                probabilities[name],
                directed=decision.directed,
                threshold=decision.threshold,
            ),
            "latency_ms_one_thread": latency[name],
        }
    if wanted is None:
        chosen, why = choose({name: _candidate(found) for name, found in candidates.items()})
    else:
        chosen, why = wanted, "named on the command line"
    best = candidates[chosen]
    report = {
        "items": len(items),
        "on": "recordings" if sets.recorded else "made-up sound",
        "calibration_items": len(sets.calibration),
        "threshold": decision.threshold,
        "pytorch_fp32_items": len(some),
        "pytorch_fp32_max_logit_difference": float(np.abs(truth - same).max()),
        "fp32_int8_max_logit_difference": best["max_logit_difference"],
        "fp32_int8_mean_probability_shift": best["mean_probability_shift"],
        "fp32_int8_max_probability_shift": best["max_probability_shift"],
        "decisions_flipped": best["decisions_flipped"],
        "fp32_eer": best["fp32_eer"],
        "int8_eer": best["eer"],
        "eer_difference": best["eer_difference"],
        "eer_difference_ci95": best["eer_difference_ci95"],
        "int8_ece": best["ece"],
        "latency_ms_one_thread": best["latency_ms_one_thread"],
        "fp32_latency_ms_one_thread": latency[FLOAT],
        "int8_bytes": best["bytes"],
        "fp32_bytes": graphs[FLOAT].stat().st_size,
        "quantization": {"chosen": chosen, "why": why, "candidates": candidates},
    }
    return Comparison(report, probabilities)


def _candidate(found: Mapping[str, Any]) -> Candidate:
    return Candidate(
        eer_loss=found["eer_difference"],
        latency_ms=found["latency_ms_one_thread"][length_key(3)]["cpu_p50"],
        mean_shift=found["mean_probability_shift"],
    )


def compare_scores(
    items: Sequence[Item],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    *,
    directed: int | None,
    threshold: float | None,
) -> dict[str, Any]:
    """Compare probabilities `before` and `after` quantization, `[N, K]` each.

    A shift is the largest of any class. A decision flips where the probability of class `directed`
    crosses `threshold`, or where either is None, where another class becomes the most probable.
    Equal error rates are None without labelled items of both classes; their interval is a paired
    bootstrap by speaker.
    """
    shift = np.abs(before - after).max(axis=1)
    if directed is None or threshold is None:
        flipped = before.argmax(axis=1) != after.argmax(axis=1)
    else:
        flipped = (before[:, directed] >= threshold) != (after[:, directed] >= threshold)
    found: dict[str, Any] = {
        "mean_probability_shift": float(shift.mean()),
        "max_probability_shift": float(shift.max()),
        "decisions_flipped": float(flipped.mean()),
    }
    labelled = directed is not None and all(item.label is not None for item in items)
    truths = np.array([labelled and item.label == directed for item in items])
    _, groups = np.unique([item.group for item in items], return_inverse=True)
    shown = directed or 0
    return found | _eer_difference(truths, before[:, shown], after[:, shown], groups)


def _eer_difference(
    truths: NDArray[np.bool_],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    groups: NDArray[np.int64],
) -> dict[str, Any]:
    """Return both equal error rates, their difference and its paired bootstrap interval.

    `ece` is the calibration error after quantization, over the items as they are.
    """
    curves = [ErrorCurve.of(truths, scores) for scores in (before, after)]
    if curves[0] is None or curves[1] is None:
        return dict.fromkeys(("fp32_eer", "eer", "eer_difference", "eer_difference_ci95", "ece"))
    first, second = (WeightedBinary(truths, scores, None) for scores in (before, after))
    draws = bootstrap(
        groups,
        lambda weights: {"eer": second.figures(weights)["eer"] - first.figures(weights)["eer"]},
    )
    return {
        "fp32_eer": curves[0].eer,
        "eer": curves[1].eer,
        "eer_difference": curves[1].eer - curves[0].eer,
        "eer_difference_ci95": interval(draws["eer"], groups=int(groups.max()) + 1),
        "ece": expected_calibration_error(truths, after),
    }
