"""Accepted utterances on their way to the broker: bounded in number and in age."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True)
class Letter:
    """A message that waits."""

    payload: str
    since_s: float
    """On the outbox's clock."""


class Outbox:
    """A queue that gives up the oldest, and says how many.

    A letter stays in front until it is `delivered`: one that was sent but not confirmed is sent
    again over the next connection (at least once).
    """

    def __init__(
        self, max_waiting: int, max_wait_s: float, clock: Callable[[], float] = monotonic
    ) -> None:
        """Keep up to `max_waiting` letters, each for `max_wait_s` seconds of `clock`."""
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s
        self._clock = clock
        self._letters: deque[Letter] = deque()

    def __len__(self) -> int:
        return len(self._letters)

    def put(self, payload: str) -> None:
        """Append a letter."""
        self._letters.append(Letter(payload, self._clock()))

    def give_up(self) -> int:
        """Discard what is too old or too much; return how many letters that were."""
        before, oldest = len(self._letters), self._clock() - self._max_wait_s
        while self._letters and (
            len(self._letters) > self._max_waiting or self._letters[0].since_s < oldest
        ):
            self._letters.popleft()
        return before - len(self._letters)

    def first(self) -> Letter | None:
        """Return the letter to be sent next."""
        return self._letters[0] if self._letters else None

    def delivered(self, letter: Letter) -> None:
        """Take out `letter`, which the broker has confirmed."""
        if self._letters and self._letters[0] is letter:
            self._letters.popleft()
