"""What an accepted utterance says of the next."""

import math
from dataclasses import dataclass

from turbo_stream._util.timebase import SAMPLE_RATE


@dataclass(frozen=True)
class FollowUpPrior:
    """Log-odds that fade with the time since the last accepted utterance.

    Nothing is ever taken away: long after the last accepted utterance, and before the first, every
    decision is the one made without a prior.
    """

    log_odds: float = 1.0
    """Added to the log-odds of `directed` at the very end of an accepted utterance; 0 or more."""

    decay_s: float = 10.0
    """Seconds in which they fall to a factor of 1/e."""

    def after(self, elapsed_samples: int) -> float:
        """Return what is added so many samples after the end of an accepted utterance."""
        return self.log_odds * math.exp(-max(0, elapsed_samples) / (self.decay_s * SAMPLE_RATE))
