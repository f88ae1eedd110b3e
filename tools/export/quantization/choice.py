"""Which quantization a package gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LARGEST_EER_LOSS = 0.002
"""Two tenths of a point."""

_AS_FAST = 1.03
"""Times this close are one time: then the one that moves scores less is taken."""


class QuantizationError(Exception):
    """No quantization is good enough; the message is one line."""


@dataclass(frozen=True)
class Candidate:
    """What was measured of one quantization."""

    eer_loss: float | None
    """Its equal error rate minus that of the float graph, a fraction; None where not known."""

    latency_ms: float
    """p50 of an utterance of 3 s, of the processor's time: what else runs does not choose."""

    mean_shift: float
    """Mean shift of a probability."""


def choose(candidates: Mapping[str, Candidate]) -> tuple[str, str]:
    """Return the name of the quantization to ship, and why, in one line.

    Of those that lose at most 0.2 points of equal error rate the faster one; of equally fast ones
    (within 3 %) the one that moves probabilities less. Without recordings nothing is known of the
    losses, and of what calibration did: then it is `dynamic`.

    Raises:
        QuantizationError: all lose more.
    """
    losses = {name: item.eer_loss for name, item in candidates.items()}
    if any(loss is None for loss in losses.values()):
        return "dynamic", "no recordings of both classes to measure a loss on"
    fit = {
        name: candidates[name]
        for name, loss in losses.items()
        if loss is not None and loss <= LARGEST_EER_LOSS
    }
    if not fit:
        lost = ", ".join(f"{name} {100 * (loss or 0.0):+.2f}" for name, loss in losses.items())
        raise QuantizationError(
            f"INT8 costs more than {100 * LARGEST_EER_LOSS:g} points of equal error rate ({lost}); "
            "fine-tune with quantization in mind, or name one with --quantization to take it anyway"
        )
    least_ms = min(item.latency_ms for item in fit.values())
    fast = [name for name, item in fit.items() if item.latency_ms <= _AS_FAST * least_ms]
    chosen = min(fast, key=lambda name: fit[name].mean_shift)
    if len(fit) == 1:
        return chosen, f"the only one within {100 * LARGEST_EER_LOSS:g} points of float"
    if len(fast) > 1:
        return chosen, "as fast as the other, and it moves probabilities less"
    return chosen, f"the faster one within {100 * LARGEST_EER_LOSS:g} points of float"
