"""Words and sound together: what weights that never met a pair say of its words, and a share."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tools.measurements.sound_teacher.heads import Places, Scores, dev_error
from training.crossval.pair_scores import run_folder
from training.data.row import Row
from training.fitting.checkpoint import load_model
from training.fitting.scoring import Scorer, margin

SHARES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Of the sound's log-odds, of which the development pairs choose one."""


def word_scores(runs: Path, pair: str, rows: Sequence[Row], directed: int) -> NDArray[np.float64]:
    """Return the log-odds `[N]` of what was heard, by the run of `runs` that never met `pair`.

    `runs` is the `out` of `training.crossval.pairs`.
    """
    model, tokenizer = load_model(run_folder(runs, pair.split(",")))
    scorer = Scorer(tokenizer, store=None, transcripts="asr")
    return margin(scorer(model, rows, modes=("text",))["text"], directed)


def chosen_share(
    words: NDArray[np.float64], sound: Scores, labels: NDArray, dev: Sequence[Places]
) -> float:
    """Return the share of the sound with which the development pairs err least."""
    return min(SHARES, key=lambda share: dev_error(words + share * sound, labels, dev))
