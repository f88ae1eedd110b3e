"""The parity report: what became of the network on its way into the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.turbo import Turbo
from tools.export.parity.decisions import compare_scores
from tools.export.parity.graphs import graph_logits, network_logits, states_width
from tools.export.parity.opened import open_graph
from tools.export.parity.sets import Sets
from tools.export.parity.speed import latencies_ms, length_key
from tools.export.quantization.choice import Candidate, choose

FLOAT = "fp32"
"""Name of the float graph beside those of the quantizations."""

_NETWORK_ITEMS = 200
"""Items that PyTorch scores, too: it is the slowest, and either all agree or none."""


@dataclass(frozen=True)
class Decision:
    """How logits become a decision."""

    calibration: Callable[[NDArray], NDArray]
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


def _candidate(found: Mapping[str, Any]) -> Candidate:
    return Candidate(
        eer_loss=found["eer_difference"],
        latency_ms=found["latency_ms_one_thread"][length_key(3)]["cpu_p50"],
        mean_shift=found["mean_probability_shift"],
    )


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
        "latency_ms_one_thread": best["latency_ms_one_thread"],
        "fp32_latency_ms_one_thread": latency[FLOAT],
        "int8_bytes": best["bytes"],
        "fp32_bytes": graphs[FLOAT].stat().st_size,
        "quantization": {"chosen": chosen, "why": why, "candidates": candidates},
    }
    return Comparison(report, probabilities)
