"""Second thoughts: speech that went on soon after its end is decided again as the one it was."""

import threading
from dataclasses import dataclass, replace

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.events import Utterance
from turbo_stream.segmentation.segment import Segment

SOON_S = 1.2
"""Speech that begins so soon after the end of an utterance may be the rest of it."""

LONGEST_S = 15.0
"""Longer sound is not put together."""


@dataclass(frozen=True)
class Whole:
    """Pieces put together."""

    segment: Segment
    """Their sound, one behind the other: silence around each is as it was kept. Its id is that of
    the last piece."""

    replaces: tuple[int, ...]
    """The pieces before it."""

    before: str
    """The turn before the first piece."""

    in_conversation: bool
    """Whether the first piece belonged to a conversation."""

    follow_up_log_odds: float | None
    """Of the first piece."""


class Revision:
    """Keeps the sound of the newest utterance for `SOON_S` and puts together what belongs together.

    It is a function of the segments alone. Threads may share it: the one that decides notes, the
    one that segments lets go. What is let go is overwritten.
    """

    def __init__(self) -> None:
        self._kept: Whole | None = None
        self._lock = threading.Lock()

    def note(
        self, segment: Segment, utterance: Utterance, *, before: str, in_conversation: bool
    ) -> Whole | None:
        """Take note of a decided `segment`; return the whole that it completes, if it does.

        `before` and `in_conversation` are what held when it was decided.
        """
        with self._lock:
            kept, self._kept = self._kept, None
            if utterance.decision == "dropped" or "gap" in segment.degraded:
                _let_go(kept)
                return None
            whole = _joined(kept, segment)
            _let_go(kept)
            self._kept = whole or Whole(
                replace(segment, pcm=segment.pcm.copy()),
                (),
                before,
                in_conversation,
                utterance.follow_up_log_odds,
            )
            if whole is None:
                return None
            # The caller's own copy: what is kept may be overwritten meanwhile.
            return replace(whole, segment=replace(whole.segment, pcm=whole.segment.pcm.copy()))

    def forget(self, from_sample: int) -> None:
        """Let go of what speech that begins at `from_sample` or later does not continue."""
        with self._lock:
            kept = self._kept
            if kept is not None and from_sample - kept.segment.end_sample > to_samples(SOON_S):
                _let_go(kept)
                self._kept = None

    def reset(self) -> None:
        """Let go of everything."""
        with self._lock:
            _let_go(self._kept)
            self._kept = None


def _joined(kept: Whole | None, segment: Segment) -> Whole | None:
    if kept is None:
        return None
    first = kept.segment
    if segment.lost_samples != first.lost_samples:
        return None  # nobody knows what was said between the two
    pause = segment.start_sample - first.end_sample
    if pause > to_samples(SOON_S) or len(first.pcm) + len(segment.pcm) > LONGEST_S * SAMPLE_RATE:
        return None
    together = replace(
        segment,
        start_sample=first.start_sample,
        pcm=np.concatenate((first.pcm, segment.pcm)),
        degraded=tuple(dict.fromkeys((*first.degraded, *segment.degraded))),
        pause=None,
        barge_in=segment.barge_in if first.barge_in is None else first.barge_in,
    )
    return replace(kept, segment=together, replaces=(*kept.replaces, first.id))


def _let_go(whole: Whole | None) -> None:
    if whole is not None:
        whole.segment.overwrite()
