"""What a scorer of pauses says, as far as it can be used: one that fails is one that cannot say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from turbo_stream._util.probability import NotAProbability, probability
from turbo_stream.segmentation.segment import PauseScore, PauseScorer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LOG = logging.getLogger(__name__)


def judged_pause(scorer: PauseScorer | None, pcm: NDArray[np.int16]) -> PauseScore | None:
    """Return what `scorer` says of `pcm`, `[N]`; None where it raises, or there is none.

    A field that is no probability is None, and the other one counts.
    """
    if scorer is None:
        return None
    try:
        score = scorer.score_pause(pcm)
        return PauseScore(
            _probability("finished", score.finished_probability),
            _probability("directed", score.directed_probability),
        )
    except Exception as error:
        # The message of a foreign error may quote what was said: only its type is logged.
        _LOG.warning("the sound of a pause could not be scored: %s", type(error).__name__)
        return None


def _probability(name: str, given: float | None) -> float | None:
    try:
        return None if given is None else probability(given)
    except NotAProbability:
        _LOG.warning("the score of a pause has no probability `%s_probability`", name)
        return None
