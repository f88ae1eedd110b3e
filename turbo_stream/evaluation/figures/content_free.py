"""What can be told without hearing a word: the figure every other one has to stand beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.detection.speech_part import speech_edges

if TYPE_CHECKING:
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

_BANDS = 24

SPEECH_S = 2
"""Where the length of the speech, in seconds, stands among the `content_free` features."""


def content_free(wave: NDArray[np.float32], *, sample_rate: int = 16_000) -> NDArray[np.float64]:
    """Return length, margins, level, peak, noise floor and long-term spectrum.

    Of `wave`, `[T]` in [-1, 1].
    """
    start, end = speech_edges(wave)
    hop = sample_rate // 100
    power = np.square(wave[: len(wave) // hop * hop].reshape(-1, hop)).mean(axis=1) + 1e-10
    level_db = 10.0 * np.log10(power)
    low, middle, high = np.percentile(level_db, [5, 50, 95])
    window = 512
    padded = np.pad(wave, (0, max(0, window - len(wave))))
    steps = (len(padded) - window) // 256 + 1
    index = np.arange(window) + 256 * np.arange(steps)[:, None]
    spectrum = np.square(np.abs(np.fft.rfft(padded[index] * np.hanning(window)))).mean(axis=0)
    edges = np.unique(np.geomspace(2, len(spectrum), _BANDS + 1).astype(int))
    pairs = zip(edges[:-1], edges[1:], strict=True)
    bands = np.array([np.log10(spectrum[a:b].mean() + 1e-10) for a, b in pairs])
    peak = np.log10(np.abs(wave).max() + 1e-6)
    length_s = len(wave) / sample_rate
    margins_s = (start / sample_rate, (len(wave) - end) / sample_rate)
    speech_s = (end - start) / sample_rate
    scalars = (length_s, np.log(length_s), speech_s, *margins_s, low, middle, high, peak)
    return np.concatenate([scalars, bands])


def probe_scores(
    waves: Iterable[NDArray[np.float32]],
    labels: NDArray[Any],
    groups: NDArray[Any],
    *,
    folds: int = 5,
) -> NDArray[np.float64]:
    """Return `cross_validated` log-odds `[N]` of the `content_free` features of `waves`."""
    features = np.array([content_free(wave) for wave in waves])
    return cross_validated(features, labels, groups, folds=folds)


def cross_validated(
    features: NDArray[np.float64], labels: NDArray[Any], groups: NDArray[Any], *, folds: int = 5
) -> NDArray[np.float64]:
    """Return log-odds `[N]` of a logistic regression on `features` `[N, F]`, cross-validated.

    No group is on both sides of a fold. Where no group has both classes, each class is split by
    itself, so that every fold has both; a class of one group, whose speakers nobody has told apart,
    by its items: then the probe may do too well.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    groups = _split_where_alone(labels, groups)
    fold = np.zeros(len(labels), int)
    for members, splitter in _splits(labels, groups, folds):
        parts = splitter.split(members, labels[members], groups[members])
        for index, (_, held) in enumerate(parts):
            fold[members[held]] = index
    scores = np.zeros(len(labels))
    for index in np.unique(fold):
        seen, held = fold != index, fold == index
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        model.fit(features[seen], labels[seen])
        scores[held] = model.decision_function(features[held])
    return scores


def _split_where_alone(labels: NDArray[Any], groups: NDArray[Any]) -> NDArray[Any]:
    """Return `groups`, where a class has only one, with each of its items by itself."""
    found = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    for value in np.unique(labels):
        members = np.flatnonzero(labels == value)
        if len(np.unique(found[members])) == 1:
            found[members] = found.max() + 1 + np.arange(len(members))
    return found


def _splits(
    labels: NDArray[Any], groups: NDArray[Any], folds: int
) -> Iterator[tuple[NDArray[Any], GroupKFold | StratifiedGroupKFold]]:
    """Yield indices of items and what splits them by group."""
    from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

    classes = [np.flatnonzero(labels == value) for value in np.unique(labels)]
    if set.intersection(*(set(groups[members]) for members in classes)):
        count = min(folds, *(len(np.unique(groups[members])) for members in classes))
        splitter = StratifiedGroupKFold(count, shuffle=True, random_state=0)
        yield np.arange(len(labels)), splitter
        return
    for members in classes:
        yield members, GroupKFold(min(folds, len(np.unique(groups[members]))))
