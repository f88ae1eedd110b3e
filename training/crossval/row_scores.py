"""What a run says of each test row, kept beside the journal: speakers are drawn anew from it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.crossval.cell import Cell

RESAMPLINGS = 500
"""Draws of a fold's speakers."""


class RowScores(NamedTuple):
    """The test rows of a run, `[N]` each."""

    scores: NDArray[np.float32]
    """Log-odds of the directed class, fused."""

    hits: NDArray[np.bool_]
    """Whether a row is directed."""

    groups: NDArray[np.str_]
    """Whose it is."""


def scores_path(folder: Path, cell: Cell) -> Path:
    """Return where the scores of `cell` lie in `folder`."""
    key = (cell.arm, cell.fold, cell.seed, cell.size, cell.transcripts)
    return folder / f"{'_'.join(map(str, key))}.npz"


def save_rows(path: Path, rows: RowScores) -> None:
    """Write `rows`, some kilobytes for a thousand of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part.npz")
    np.savez_compressed(
        partial, scores=rows.scores.astype(np.float32), hits=rows.hits, groups=rows.groups
    )
    partial.replace(path)


def load_rows(path: Path) -> RowScores | None:
    """Return what `save_rows` wrote; None where there is nothing: an older run."""
    if not path.exists():
        return None
    with np.load(path) as stored:
        return RowScores(stored["scores"], stored["hits"], stored["groups"])


def resampled_accuracy(rows: RowScores, *, seed: int) -> NDArray[np.float64]:
    """Return 1 - EER of `rows` with their groups drawn anew, `RESAMPLINGS` times.

    Equal rows and an equal `seed` give equal draws, whatever the scores: two arms are compared
    under the same ones. A draw without one of the classes is drawn again.
    """
    names, owner = np.unique(rows.groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    directed = np.bincount(owner[rows.hits], minlength=len(names)) > 0
    other = np.bincount(owner[~rows.hits], minlength=len(names)) > 0
    drawn: list[NDArray[np.int64]] = []
    while len(drawn) < RESAMPLINGS:
        times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
        if times[directed].any() and times[other].any():
            drawn.append(times)
    return 1.0 - _equal_errors(rows, np.stack(drawn)[:, owner])


def _equal_errors(rows: RowScores, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the equal error rate with every row counted `times` `[R, N]`, `[R]`."""
    order = np.argsort(-rows.scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(rows.scores[order])), len(order) - 1)
    counted, hits = times[:, order], rows.hits[order]
    accepted = np.cumsum(counted * hits, axis=1)[:, ends]
    wrong = np.cumsum(counted * ~hits, axis=1)[:, ends]
    # Accepting nothing is a point of the curve, too.
    false_accept = np.pad(wrong / wrong[:, -1:], ((0, 0), (1, 0)))
    false_reject = np.pad(1.0 - accepted / accepted[:, -1:], ((0, 0), (1, 0)), constant_values=1.0)
    place = np.argmin(np.abs(false_accept - false_reject), axis=1)[:, None]
    both = np.take_along_axis(false_accept + false_reject, place, axis=1)
    return both[:, 0] / 2
