"""From the network's logits to probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class AffineCalibration:
    """One slope for all classes and one offset for each, fitted on held-out utterances.

    Source: temperature scaling (Guo et al. 2017, arXiv 1706.04599) with the per-class bias of
    the same paper's vector scaling; with two classes this is Platt's sigmoid.
    """

    scale: float
    """Factor on every logit, above 0, so that calibration never reorders two utterances."""

    bias: tuple[float, ...]
    """Offset of each class, `[K]`, in the order of the package's labels."""

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return `softmax(scale * logits + bias)` of `logits`, `[..., K]`, in float64."""
        scores = self.scale * np.asarray(logits, np.float64) + np.asarray(self.bias)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
