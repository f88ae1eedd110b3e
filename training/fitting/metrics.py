"""Figures of a classifier from its logits, and of a detector from its scores; calibration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, roc_auc_score, roc_curve


def rates(labels: NDArray, scores: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Return false accepts, false rejects and thresholds along the whole ROC."""
    false_accept, true_accept, threshold = roc_curve(labels, scores, drop_intermediate=False)
    return false_accept, 1.0 - true_accept, threshold


def equal_error_rate(labels: NDArray, scores: NDArray) -> float:
    """Mean of both error rates where they differ least."""
    false_accept, false_reject, _ = rates(labels, scores)
    index = int(np.argmin(np.abs(false_accept - false_reject)))
    return float(false_accept[index] + false_reject[index]) / 2


def operating_points(labels: NDArray, scores: NDArray) -> dict[str, dict[str, float]]:
    """Thresholds at equal errors, at 1 % false accepts and at 1 % false rejects.

    Each lies half way between the lowest score it accepts and the next lower one: few items that
    are told apart without an error then leave room on both sides.
    """
    false_accept, false_reject, threshold = rates(labels, scores)
    threshold = (threshold + np.append(threshold[1:], threshold[-1])) / 2
    usable = np.isfinite(threshold)
    false_accept, false_reject = false_accept[usable], false_reject[usable]
    threshold = threshold[usable]
    few_accepts = np.flatnonzero(false_accept <= 0.01)
    few_rejects = np.flatnonzero(false_reject <= 0.01)
    chosen = {
        "balanced": int(np.argmin(np.abs(false_accept - false_reject))),
        "fa1": int(few_accepts[-1]) if len(few_accepts) else 0,
        "fr1": int(few_rejects[0]),
    }
    return {
        name: {
            "threshold": float(threshold[index]),
            "false_accept": float(false_accept[index]),
            "false_reject": float(false_reject[index]),
        }
        for name, index in chosen.items()
    }


def drawn_rows(
    groups: NDArray, rng: np.random.Generator, draws: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the rows of each draw of as many `groups` as there are, whole and with replacement."""
    names, inverse = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(inverse == index) for index in range(len(names))]
    for _ in range(draws):
        yield np.concatenate([members[i] for i in rng.integers(len(names), size=len(names))])


def bootstrap_eer(
    labels: NDArray, scores: NDArray, groups: NDArray, *, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile interval of the equal error rate, resampling whole `groups`."""
    found = []
    for chosen in drawn_rows(groups, np.random.default_rng(seed), draws):
        if 0 < labels[chosen].sum() < len(chosen):
            found.append(equal_error_rate(labels[chosen], scores[chosen]))
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def summary(labels: NDArray, scores: NDArray) -> dict[str, float | int | None]:
    """Count, area under the ROC and equal error rate; null where a class is missing."""
    both = 0 < labels.sum() < len(labels)
    return {
        "n": len(labels),
        "n_directed": int(labels.sum()),
        "auc": float(roc_auc_score(labels, scores)) if both else None,
        "eer": equal_error_rate(labels, scores) if both else None,
    }


def class_figures(truth: NDArray, logits: NDArray, labels: Sequence[str]) -> dict[str, Any]:
    """Return what the most probable class is worth, for classes `truth` `[N]`, logits `[N, K]`.

    `accuracy` is the emotion field's weighted accuracy (WA), `balanced_accuracy` its unweighted one
    (UA): the mean recall of the classes that occur. A class that does not occur has no recall.
    """
    guess = logits.argmax(axis=1)
    indices = np.arange(len(labels))
    counts = confusion_matrix(truth, guess, labels=indices)
    occurs = counts.sum(axis=1) > 0
    recall = np.diag(counts)[occurs] / counts.sum(axis=1)[occurs]
    f1 = f1_score(truth, guess, labels=indices[occurs], average="macro", zero_division=0.0)
    return {
        "n": len(truth),
        "accuracy": float(accuracy_score(truth, guess)),
        "balanced_accuracy": float(recall.mean()),
        "macro_f1": float(f1),
        "recall": {labels[i]: float(r) for i, r in zip(indices[occurs], recall, strict=True)},
        "confusion": counts.tolist(),
        "cross_entropy": float(-log_softmax(logits, axis=1)[np.arange(len(truth)), truth].mean()),
    }


def binary_figures(labels: NDArray, scores: NDArray) -> dict[str, float | int | None]:
    """Return `summary` and what the equal error rate does not say, null where undefined.

    `equal_error_accuracy` is 1 - EER, so that more is better as in every other figure.
    """
    found = summary(labels, scores)
    if found["eer"] is None:
        return {**found, "equal_error_accuracy": None, "false_accept_at_false_reject_0.05": None}
    false_accept, false_reject, _ = rates(labels, scores)
    allowed = false_reject <= 0.05 + 1e-9  # 1 - 0.95 is a little more
    return {
        **found,
        "equal_error_accuracy": 1.0 - found["eer"],
        "false_accept_at_false_reject_0.05": float(false_accept[allowed].min()),
    }


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

    def described(self) -> dict[str, Any]:
        """Return it as the key `calibration` of a run's metrics and of a package."""
        return {"method": "affine", "scale": self.scale, "bias": list(self.bias)}


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
