"""The learned change of the shipped model's log-odds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.example import Example
from turbo_stream.learning.vectors import Vectors


@dataclass(frozen=True, eq=False)
class Head:
    """A pure function of an utterance's vectors, fitted by `fit`."""

    weights: NDArray[np.float64]

    def log_odds_change(self, vectors: Vectors) -> float:
        """Return what is added to `vectors.logit`."""
        return float(self.weights @ _features(vectors))


def fit(examples: Sequence[Example]) -> Head:
    """Return the head of `examples`: of none, or of one class alone, one that changes nothing.

    Examples count by their weight; neither their order nor their sessions matter.
    """
    kinds = {example.directed for example in examples}
    if len(kinds) < 2:
        width = len(_features(examples[0].vectors)) if examples else 0
        return Head(np.zeros(width))
    x = np.stack([_features(example.vectors) for example in examples])
    offset = np.array([example.vectors.logit for example in examples])
    truth = np.array([example.directed for example in examples], float)
    count = np.array([example.weight for example in examples])
    weights = np.zeros(x.shape[1])
    for _ in range(20):
        score = 1 / (1 + np.exp(-np.clip(offset + x @ weights, -30, 30)))
        gradient = x.T @ (count * (score - truth)) + weights
        curved = count * score * (1 - score) + 1e-9
        hessian = (x * curved[:, None]).T @ x + np.eye(x.shape[1])
        weights -= np.linalg.solve(hessian, gradient)
    return Head(weights)


def _features(vectors: Vectors) -> NDArray[np.float64]:
    parts = [vectors.audio, vectors.text if vectors.has_text else np.zeros_like(vectors.text)]
    unit = [part / (np.linalg.norm(part) + 1e-9) for part in parts]
    return np.concatenate([*unit, [1.0]]).astype(float)
