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
    """Fit by maximum likelihood with every class weighted alike; the last bias is 0.

    An item of a class of n counts as (n + 1) / (n + K) of that class and the rest of the others
    (Platt 1999): else a few items without an error would make the scale grow without bound.
    """
    classes = logits.shape[1]
    counts = np.bincount(labels, minlength=classes).clip(min=1)[labels]
    weight = 1.0 / counts
    weight /= weight.sum()
    target = np.repeat(1.0 / (counts[:, None] + classes), classes, axis=1)
    target[np.arange(len(labels)), labels] = (counts + 1) / (counts + classes)

    def loss(parameters: NDArray) -> float:
        bias = np.append(parameters[1:], 0.0)
        found = log_softmax(np.exp(parameters[0]) * logits + bias, axis=1)
        return -float((weight[:, None] * target * found).sum())

    found = minimize(loss, np.zeros(classes), method="Nelder-Mead", options={"maxiter": 2000})
    return Affine(float(np.exp(found.x[0])), (*map(float, found.x[1:]), 0.0))
