"""What the streams amount to: is anybody speaking, and how many were accepted."""

from dataclasses import asdict, dataclass
from typing import Literal

from turbo_stream.events import Event, Finished, GapReported, SpeechStarted, Utterance

State = Literal["listening", "speech"]


@dataclass
class Counters:
    """Since this process started, over all streams."""

    accepted: int = 0
    rejected: int = 0
    dropped: int = 0

    lost_samples: int = 0
    """At 16 kHz."""

    undelivered: int = 0
    """Accepted utterances that the broker was away for too long to get."""


class Standing:
    """Follows the events of any number of streams."""

    def __init__(self) -> None:
        self._speaking: dict[str, int] = {}
        self._counters = Counters()

    @property
    def state(self) -> State:
        """Return `speech` while anybody speaks on any stream."""
        return "speech" if self._speaking else "listening"

    def note(self, event: Event, stream: str) -> None:
        """Take in what `stream` says."""
        match event:
            case SpeechStarted():
                self._speaking[stream] = event.id
            case Utterance():
                # Another utterance may have begun before this one was decided.
                if self._speaking.get(stream) == event.id:
                    del self._speaking[stream]
                counted = getattr(self._counters, event.decision)
                setattr(self._counters, event.decision, counted + 1)
            case GapReported():
                self._counters.lost_samples += event.lost_samples
            case Finished():
                self.end(stream)

    def end(self, stream: str) -> None:
        """Forget a stream that is over."""
        self._speaking.pop(stream, None)

    def count_undelivered(self, utterances: int) -> None:
        """Add what was given up."""
        self._counters.undelivered += utterances

    @property
    def undelivered(self) -> int:
        """Return how many accepted utterances were given up so far."""
        return self._counters.undelivered

    def counters(self) -> dict[str, int]:
        """Return the counters, JSON-ready."""
        return asdict(self._counters)
