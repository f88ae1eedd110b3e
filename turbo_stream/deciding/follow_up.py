"""A prior from what was accepted before: who has just spoken to the device may well go on.

Off unless asked for. What is kept between utterances is one number, the end of the last accepted
one; no text is, neither of rejected speech nor of accepted (docs/lab/log.md says why).
"""

from turbo_stream._util.timebase import to_samples
from turbo_stream.detection.follow_up_prior import FollowUpPrior
from turbo_stream.events import Utterance
from turbo_stream.segmentation.segment import Segment


class FollowUp:
    """The state of one stream: a function of its events so far, whatever the wall clock says."""

    def __init__(self, prior: FollowUpPrior) -> None:
        self.prior = prior
        self._accepted_until: int | None = None

    def log_odds(self, segment: Segment) -> float:
        """Return what is added to the log-odds of `segment`, natural logarithm."""
        if self._accepted_until is None:
            return 0.0
        return self.prior.after(segment.start_sample - self._accepted_until)

    def note(self, utterance: Utterance) -> None:
        """Take note of a terminal event; accepted ones alone are remembered, by their end."""
        if utterance.decision == "accepted":
            self._accepted_until = to_samples(utterance.end_s)

    def reset(self) -> None:
        """Forget everything, as a new stream does."""
        self._accepted_until = None
