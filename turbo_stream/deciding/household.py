"""Whose accepted speech was, and whether nobody but the house is obeyed."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from turbo_stream.voices.known import KnownVoices
from turbo_stream.voices.matching import Match


@dataclass(frozen=True)
class Speaker:
    """What may be told of whose speech it was."""

    match: Match | None = None
    """None where nobody asked, and of speech that is refused: it is told nowhere."""

    refused: bool = False
    """Whether it is the voice of nobody who is known, where only those are obeyed."""

    latency_ms: dict[str, float] = field(default_factory=dict)
    """`voice`: how long it took; empty where nobody asked."""

    @property
    def name(self) -> str | None:
        """Whose it was; None for nobody's who is known."""
        return None if self.match is None else self.match.name

    @property
    def score(self) -> float | None:
        """How like the nearest known voice it sounds; None where nobody asked."""
        return None if self.match is None else self.match.score


@dataclass(frozen=True)
class Household:
    """The voices that one stream knows."""

    voices: KnownVoices | None = None

    only: bool = False
    """Refuse whatever others say."""

    def speaker(self, pcm: NDArray[np.int16]) -> Speaker:
        """Return whose `pcm`, `[N]` int16 at 16 kHz, was: to be asked of accepted speech alone."""
        if self.voices is None:
            return Speaker()
        started = perf_counter()
        match = self.voices.whose(pcm)
        latency_ms = {"voice": round(1000.0 * (perf_counter() - started), 3)}
        if self.only and match.name is None:
            return Speaker(None, True, latency_ms)
        return Speaker(match, False, latency_ms)
