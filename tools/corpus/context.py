"""What was said to the device before: an assumption about sessions, not a measurement."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from tools.corpus.text_item import DIRECTED

CONTEXT_SHARE = 0.35
"""Share of pairs in a session: both members come after an accepted utterance."""
FOLLOW_UP_SHARE = 0.7
"""Of directed speech in a session, how much follows at once."""
_FOLLOW_UP_MEDIAN_S, _FOLLOW_UP_SPREAD = 4.0, 0.45
"""Log-normal: 88 % between 2 and 8 s."""
_UNRELATED_RANGE_S = (2.0, 300.0)
"""Log-uniform: speech to people, and commands that begin anew."""


@dataclass(frozen=True)
class Context:
    """The last accepted utterance of an imagined session."""

    after_s: float
    """From its end to the beginning of this clip."""
    previous_text: str


def draw_context(label: str, previous_text: str, at_once: bool, rng: random.Random) -> Context:
    """Return when `previous_text` was said; `at_once` for a text that only makes sense soon."""
    if at_once or (label == DIRECTED and rng.random() < FOLLOW_UP_SHARE):
        after_s = rng.lognormvariate(math.log(_FOLLOW_UP_MEDIAN_S), _FOLLOW_UP_SPREAD)
    else:
        after_s = math.exp(rng.uniform(*(math.log(edge) for edge in _UNRELATED_RANGE_S)))
    return Context(round(after_s, 2), previous_text)
