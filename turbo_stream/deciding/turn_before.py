"""The turn before: what the device said itself, or what was last accepted, for a while.

Held in memory alone, and only where somebody reads it. Rejected speech is never a turn before: its
text is let go at its decision.
"""

import threading
from dataclasses import dataclass, field

from turbo_stream._util.unicode_text import whole_text
from turbo_stream.errors import InputError

MOST_CHARACTERS = 2000
"""Of a turn, its end."""

_MOST_TURNS = 64
"""That are held: no device says more while one utterance is spoken."""


@dataclass(frozen=True, order=True)
class _Turn:
    at_sample: int
    """Stream time: where an utterance ended, or where the device said it."""

    by_device: bool
    """Of an utterance and an answer at the same time, the answer came later."""

    number: int
    text: str = field(repr=False)


class TurnBefore:
    """The turns of one stream, in its own time. Threads may share it.

    What was said before speech depends on where that begins alone, so that it does not matter how
    far its scoring has come when the next turn is noted.
    """

    def __init__(self, lasts_samples: int = 0) -> None:
        """Hold each turn until so long after it; 0 holds none."""
        self.lasts_samples = lasts_samples
        self._turns: list[_Turn] = []
        self._noted = 0
        self._lock = threading.Lock()

    def note(self, text: str, at_sample: int, *, by_device: bool) -> None:
        """Take note of a turn that ended at `at_sample`; one without a word is none.

        Raises `InputError` for what is no text.
        """
        if not isinstance(text, str):
            raise InputError(f"{type(text).__name__} was said; give the text that the device says")
        if not self.lasts_samples or not text.strip():
            return
        with self._lock:
            self._noted += 1
            text = whole_text(text[-MOST_CHARACTERS:])
            self._turns.append(_Turn(at_sample, by_device, self._noted, text))
            self._turns = sorted(self._turns)[-_MOST_TURNS:]

    def of(self, start_sample: int) -> str:
        """Return what was said last before speech that begins at `start_sample`; empty: nothing."""
        with self._lock:
            turns = [turn for turn in self._turns if turn.at_sample <= start_sample]
        if not turns or start_sample - turns[-1].at_sample > self.lasts_samples:
            return ""
        return turns[-1].text

    def forget(self, from_sample: int) -> None:
        """Let go of what no speech that begins at `from_sample` or later follows."""
        with self._lock:
            older = [turn for turn in self._turns if turn.at_sample <= from_sample]
            oldest = from_sample - self.lasts_samples
            self._turns = [
                turn
                for turn in self._turns
                if turn.at_sample >= oldest and (turn not in older or turn == older[-1])
            ]

    def reset(self) -> None:
        """Forget everything, as a new stream does."""
        with self._lock:
            self._turns = []
