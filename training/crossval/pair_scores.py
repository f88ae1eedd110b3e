"""What a run without a pair of collections said of that pair, kept in its folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError

PAIRS_FILE = "pairs.json"
"""Beside the runs: the figures of all pairs, each with the names of its collections."""

SCORES = "scores.npz"
"""In the folder of a run: `logits` `[N, K]` and `labels` `[N]` of what a recognizer has found words
in; of all that it has heard, `truths` and `groups` `[M]`, and the margins of every mode `[M]`."""


PREFIX = "without_"
"""Of the name of a run's folder; the collections follow."""


def run_folder(out: Path, pair: Sequence[str]) -> Path:
    """Return the folder in `out` of the run without `pair`, the directed collection first."""
    return out / f"{PREFIX}{'_'.join(pair)}"


def margin_key(mode: str) -> str:
    """Return where the margins of `mode` stand in `SCORES`."""
    return f"margin_{mode}"


class PairScores(NamedTuple):
    """All recordings of a pair that a recognizer has heard, words found or not."""

    truths: NDArray[np.bool_]
    """Which are directed, `[M]`."""

    groups: NDArray[np.str_]
    """Who speaks, `[M]`."""

    margins: Mapping[str, NDArray[np.float64]]
    """How much more a mode believes that a recording is directed, in logits, `[M]`."""


def pairs_of(folder: Path) -> list[tuple[str, str]]:
    """Return the pairs that `training.crossval.pairs` scored in `folder`, directed first.

    Raises:
        InputError: there is no `PAIRS_FILE`, or it is none.
    """
    try:
        pairs = json.loads((folder / PAIRS_FILE).read_text("utf-8"))["pairs"]
        return [(str(pair["directed"]), str(pair["not_directed"])) for pair in pairs]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{folder / PAIRS_FILE} does not name the pairs ({error}); give the out=DIR of "
            "training.crossval.pairs"
        ) from error


def read_pair_scores(folder: Path, modes: tuple[str, ...]) -> PairScores:
    """Return what the run in `folder` said.

    Raises:
        InputError: it has said nothing, or before margins were kept.
    """
    try:
        with np.load(folder / SCORES) as stored:
            margins = {mode: stored[margin_key(mode)] for mode in modes}
            return PairScores(stored["truths"], stored["groups"], margins)
    except (OSError, KeyError) as error:
        raise InputError(
            f"{folder / SCORES} has no margins ({error}); run training.crossval.pairs again, which "
            "scores runs that are there without training them"
        ) from error
