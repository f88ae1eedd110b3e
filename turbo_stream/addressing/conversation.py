"""A conversation: after an accepted utterance one goes on speaking without the name."""

from dataclasses import dataclass


@dataclass
class Conversation:
    """The state of one stream, in its own time; no word of it is kept."""

    lasts_samples: int
    """From the end of an accepted utterance on, so long; 0 is never."""

    _open_until: int | None = None

    def open_at(self, start_sample: int) -> bool:
        """Return whether speech that begins at `start_sample` belongs to it."""
        return self._open_until is not None and start_sample <= self._open_until

    def note(self, start_sample: int, end_sample: int, *, accepted: bool, closes: bool) -> None:
        """Take note of a decision; what `closes` and belongs to it ends it, rejected too."""
        if closes and (accepted or self.open_at(start_sample)):
            self._open_until = None
        elif accepted and self.lasts_samples:
            self._open_until = end_sample + self.lasts_samples

    def reset(self) -> None:
        """Forget everything, as a new stream does."""
        self._open_until = None
