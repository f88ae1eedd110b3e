"""A stretch of sound to listen to, and what is known of the speech in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import to_samples, to_seconds
from turbo_stream.evaluation.corpus.spans import Span

_AFTER_LAST_S = 1.5
"""Sound kept after the last utterance, so that its end silence is heard."""


@dataclass(frozen=True)
class Stream:
    """One recording, or several clips joined to one."""

    name: str

    pcm: NDArray[np.int16]
    """`[N]`, 16 kHz."""

    spans: tuple[Span, ...] | None
    """Where speech is known to be, in order; None where nobody has said."""

    @property
    def duration_s(self) -> float:
        """How long it plays."""
        return to_seconds(len(self.pcm))

    def first(self, seconds: float) -> Stream:
        """Return about the first `seconds`, cut between two utterances where those are known."""
        if seconds >= self.duration_s:
            return self
        if not self.spans:
            return self._begun(seconds, self.spans)
        kept = [span for span in self.spans if span.end_s + _AFTER_LAST_S <= seconds]
        kept = kept or [min(self.spans, key=lambda span: span.end_s)]
        follower = min(
            (span.start_s for span in self.spans if span.start_s >= kept[-1].end_s),
            default=self.duration_s,
        )
        stop = min(kept[-1].end_s + _AFTER_LAST_S, follower)
        return self._begun(stop, tuple(kept))

    def _begun(self, seconds: float, spans: tuple[Span, ...] | None) -> Stream:
        # A copy, so that the rest of the sound is not held for the sake of its beginning.
        return replace(self, pcm=self.pcm[: to_samples(seconds)].copy(), spans=spans)

    def turned(self, share: float) -> Stream:
        """Return the same sound begun after `share` of it, in [0, 1), what went before at the end.

        Where spans are known it is cut amid a silence between two of them.
        """
        cut_s = share * self.duration_s
        if self.spans:
            breaks = [0.0, *_silences(self.spans)]
            cut_s = min(breaks, key=lambda at: abs(at - cut_s))
        cut = to_samples(cut_s)
        pcm = np.concatenate((self.pcm[cut:], self.pcm[:cut]))
        if self.spans is None:
            return replace(self, pcm=pcm)
        late = [_moved(span, -cut_s) for span in self.spans if span.start_s >= cut_s]
        early = [
            _moved(span, self.duration_s - cut_s) for span in self.spans if span.start_s < cut_s
        ]
        return replace(self, pcm=pcm, spans=(*late, *early))

    def without_long_silences(self, longest_s: float) -> Stream:
        """Return the same speech with `longest_s` at most between two utterances.

        A stream whose spans are not known comes back as it is.
        """
        if not self.spans:
            return self
        pieces, spans, at_s = [], [], 0.0
        breaks = [0.0, *_silences(self.spans), self.duration_s]
        for span, earliest_s, latest_s in zip(self.spans, breaks[:-1], breaks[1:], strict=True):
            start = to_samples(max(earliest_s, span.start_s - longest_s / 2))
            stop = to_samples(min(latest_s, span.end_s + longest_s / 2))
            spans.append(_moved(span, at_s - to_seconds(start)))
            pieces.append(self.pcm[start:stop])
            at_s += to_seconds(stop - start)
        return replace(self, pcm=np.concatenate(pieces), spans=tuple(spans))

    def speech_s(self) -> float | None:
        """Return the seconds inside the spans; None where those are not known."""
        if self.spans is None:
            return None
        return sum(span.end_s - span.start_s for span in self.spans)


def first_of_all(streams: Sequence[Stream], seconds: float) -> list[Stream]:
    """Return streams, in order and the last of them shortened, until `seconds` are full."""
    chosen: list[Stream] = []
    for stream in streams:
        if seconds <= 0:
            break
        chosen.append(stream.first(seconds))
        seconds -= chosen[-1].duration_s
    return chosen


def _moved(span: Span, seconds: float) -> Span:
    return replace(span, start_s=span.start_s + seconds, end_s=span.end_s + seconds)


def _silences(spans: Sequence[Span]) -> list[float]:
    """Return the middle between every two spans, in seconds."""
    return [
        (before.end_s + after.start_s) / 2 for before, after in zip(spans, spans[1:], strict=False)
    ]
