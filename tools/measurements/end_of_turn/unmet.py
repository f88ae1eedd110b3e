"""A head that has not met the collection it judges, nor what is like it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression

from tools.measurements.end_of_turn.material import Collection
from tools.measurements.end_of_turn.pauses import Pauses
from turbo_stream.errors import InputError

COMPONENTS = 96
"""Principal components of the windows that it reads."""

STRENGTH = 0.003
"""Inverse of the penalty on its weights."""

Floats = NDArray[np.float64]
Heard = Sequence[tuple[Collection, Pauses]]


def unmet_odds(heard: Heard, like: Sequence[Floats]) -> list[Floats]:
    """Return the log-odds of each of the pauses of each collection, as `heard` has them.

    Each is by a linear head of the collections that are not like its own. All are scaled to the
    mean and the spread of `like`, the package's, so that the same rule can be asked of both.
    """
    odds: list[Floats] = [np.zeros(len(pauses)) for _, pauses in heard]
    for group in dict.fromkeys(collection.like for collection, _ in heard):
        others = [item for item in heard if item[0].like != group]
        judged = [index for index, (collection, _) in enumerate(heard) if collection.like == group]
        said = fitted(others, [heard[index][1] for index in judged])
        for index, one in zip(judged, said, strict=True):
            odds[index] = one
    package, together = np.concatenate(like), np.concatenate(odds)
    scale = package.std() / together.std()
    return [(one - together.mean()) * scale + package.mean() for one in odds]


def fitted(taught: Heard, asked: Sequence[Pauses]) -> list[Floats]:
    """Return the log-odds of each of `asked` by a head that has met `taught` alone, unscaled."""
    rows = [_usable(collection, pauses) for collection, pauses in taught]
    windows = np.concatenate(
        [pauses.windows[chosen] for (_, pauses), chosen in zip(taught, rows, strict=True)]
    ).astype(np.float32)
    ends = np.concatenate(
        [pauses.last[chosen] for (_, pauses), chosen in zip(taught, rows, strict=True)]
    )
    if ends.all() or not ends.any():
        raise InputError(
            "a head is fitted to ends and to pauses inside of utterances; of "
            f"{', '.join(one.name for one, _ in taught) or 'no collection'} there is one kind only"
        )
    names = np.repeat([collection.name for collection, _ in taught], [len(one) for one in rows])
    mean, scale = windows.mean(0), windows.std(0) + 1e-3
    windows = (windows - mean) / scale
    # Every other pause is enough to find the components, at half the time.
    components = TruncatedSVD(COMPONENTS, random_state=0, n_iter=2).fit(windows[::2])
    reduced = components.transform(windows)
    spread = reduced.std(0)
    head = LogisticRegression(C=STRENGTH, max_iter=200)
    head.fit(reduced / spread, ends, sample_weight=_weights(ends, names))
    return [
        head.decision_function(
            components.transform((pauses.windows.astype(np.float32) - mean) / scale) / spread
        ).astype(np.float64)
        for pauses in asked
    ]


def _usable(collection: Collection, pauses: Pauses) -> NDArray[np.int64]:
    """Return the pauses that say something: not where a blind collection stops."""
    return np.flatnonzero(~(pauses.last & collection.blind))


def _weights(ends: NDArray[np.bool_], names: NDArray[np.str_]) -> Floats:
    """Return how much each counts: ends as much as pauses, a collection by the root of its size."""
    weight = np.zeros(len(ends))
    for kind in (False, True):
        for name in np.unique(names):
            members = (ends == kind) & (names == name)
            if members.any():
                weight[members] = members.sum() ** -0.5
        weight[ends == kind] /= weight[ends == kind].sum()
    return weight * len(ends) / 2
