"""Turns logits into probabilities that mean what they say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax


@dataclass(frozen=True)
class Affine:
    """p = softmax(scale * logits + bias) (Platt; Guo et al., arXiv 1706.04599)."""

    scale: float
    """One positive factor for every logit."""

    bias: tuple[float, ...]
    """One offset a class."""

    def __call__(self, logits: NDArray) -> NDArray:
        """Return probabilities `[N, K]` from `logits` `[N, K]`."""
        return softmax(self.scale * logits + np.array(self.bias), axis=1)


def fit_affine(logits: NDArray, labels: NDArray) -> Affine:
    """Fit by maximum likelihood with every class weighted alike; the last bias is 0."""
    classes = logits.shape[1]
    weight = 1.0 / np.bincount(labels, minlength=classes).clip(min=1)[labels]
    weight /= weight.sum()

    def loss(parameters: NDArray) -> float:
        bias = np.append(parameters[1:], 0.0)
        chosen = log_softmax(np.exp(parameters[0]) * logits + bias, axis=1)
        return -float((weight * chosen[np.arange(len(labels)), labels]).sum())

    found = minimize(loss, np.zeros(classes), method="Nelder-Mead", options={"maxiter": 2000})
    return Affine(float(np.exp(found.x[0])), (*map(float, found.x[1:]), 0.0))
