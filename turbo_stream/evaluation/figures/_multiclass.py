"""Figures of a model with any set of labels, from its probability for each of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import Row, is_scored, label_of, speaker_groups
from turbo_stream.evaluation.figures.binary import expected_calibration_error
from turbo_stream.evaluation.figures.bootstrap import Figures


@dataclass(frozen=True)
class ClassItems:
    """Items with a probability for each label of the model, as arrays."""

    labels: tuple[str, ...]
    """`[K]`: the model's labels in its order, then labels that only the manifest knows."""

    truths: NDArray[np.int64]
    """`[N]`, index of the true label."""

    guesses: NDArray[np.int64]
    """`[N]`, index of the most probable label, the first of several."""

    confidences: NDArray[np.float64]
    """`[N]`, probability of the guess."""

    probabilities: NDArray[np.float64]
    """`[N, K]`, 0 for a label that the model does not know."""

    groups: NDArray[np.int64]
    """`[N]`, see `speaker_groups`."""

    @classmethod
    def from_rows(cls, rows: Iterable[Row]) -> ClassItems | None:
        """Take the rows that have `probabilities`; None where no row has.

        Raises:
            InputError: rows name different labels, or a row has no label.
        """
        kept = [row for row in rows if is_scored(row) and row.get("probabilities")]
        if not kept:
            return None
        known = tuple(kept[0]["probabilities"])
        for row in kept:
            if set(row["probabilities"]) != set(known):
                raise InputError(
                    f"{row.get('audio_filepath')}: its probabilities are of other labels than "
                    "those of the first row; evaluate one model at a time"
                )
        others = sorted({label_of(row) for row in kept} - set(known))
        labels = (*known, *others)
        place = {label: i for i, label in enumerate(labels)}
        values = np.zeros((len(kept), len(labels)))
        values[:, : len(known)] = [[row["probabilities"][name] for name in known] for row in kept]
        guesses = values.argmax(axis=1)
        return cls(
            labels=labels,
            truths=np.array([place[label_of(row)] for row in kept], np.int64),
            guesses=guesses.astype(np.int64),
            confidences=values[np.arange(len(kept)), guesses],
            probabilities=values,
            groups=speaker_groups(kept),
        )

    @property
    def right(self) -> NDArray[np.bool_]:
        """`[N]`, True where the guess is the truth."""
        return np.asarray(self.guesses == self.truths)


def multiclass_metrics(items: ClassItems) -> dict[str, Any]:
    """Return WA, UA, F1 and the confusion matrix.

    `wa`, weighted accuracy, is the fraction of right guesses; `ua`, unweighted accuracy, the mean
    recall of the labels that occur. A label that occurs in the manifest but not in the model can
    only be missed, and counts.
    """
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        precision_recall_fscore_support,
    )

    indices = np.arange(len(items.labels))
    precision, recall, f1, support = precision_recall_fscore_support(
        items.truths, items.guesses, labels=indices, zero_division=np.nan
    )
    occurs = support > 0
    counts = confusion_matrix(items.truths, items.guesses, labels=indices)
    return {
        "n": len(items.truths),
        "labels": list(items.labels),
        "wa": float(accuracy_score(items.truths, items.guesses)),
        "ua": float(recall[occurs].mean()),
        "macro_f1": float(np.nan_to_num(f1[occurs]).mean()),
        "ece": expected_calibration_error(items.right, items.confidences),
        "per_class": {
            label: {
                "n": int(support[i]),
                "precision": _defined(precision[i]),
                "recall": _defined(recall[i]),
                "f1": _defined(f1[i]),
            }
            for i, label in enumerate(items.labels)
        },
        "confusion": counts.tolist(),
    }


def weighted_multiclass(items: ClassItems, weights: NDArray[np.float64]) -> Figures:
    """Return `wa` and `ua` of every weighting, `[D, N]`: see `weighted_figures`."""
    right = items.right.astype(np.float64)
    member = np.equal.outer(items.truths, np.arange(len(items.labels))).astype(np.float64)
    with np.errstate(invalid="ignore"):
        recalls = (weights @ (member * right[:, np.newaxis])) / (weights @ member)
    return {
        "wa": weights @ right / weights.sum(axis=1),
        "ua": np.nanmean(recalls, axis=1),
    }


def _defined(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
