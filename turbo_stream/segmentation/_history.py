"""The last seconds of the stream, addressed by stream time."""

import numpy as np
from numpy.typing import NDArray


class History:
    """A ring of the newest samples.

        oldest                          end
          |-------- kept ----------------|
    ------+------------------------------+------> stream time in samples

    `capacity` is in samples; memory is allocated once. Positions count from the start of the
    stream, lost samples included; `restart` skips what was lost.
    """

    def __init__(self, capacity: int) -> None:
        self._ring = np.zeros(capacity, dtype=np.int16)
        self._first = 0
        self._wiped = 0
        """Everything before this position is overwritten."""
        self.end = 0
        """One past the newest sample."""

    @property
    def oldest(self) -> int:
        """Position of the oldest sample still kept."""
        return max(self._first, self.end - self._ring.size)

    def restart(self, position: int) -> None:
        """Forget everything; the next sample appended has this `position`."""
        self.wipe(self.end)
        self._first = self.end = self._wiped = position

    def append(self, pcm: NDArray[np.int16]) -> None:
        """Add `pcm`, `[N]` int16 with N up to the capacity, overwriting the oldest samples."""
        at = self.end % self._ring.size
        head = min(pcm.size, self._ring.size - at)
        self._ring[at : at + head] = pcm[:head]
        if head < pcm.size:
            self._ring[: pcm.size - head] = pcm[head:]
        self.end += pcm.size

    def wipe(self, stop: int) -> None:
        """Overwrite what is kept before `stop`, at most `end`: nobody reads it any more."""
        start = max(self._wiped, self.oldest)
        at, size = start % self._ring.size, max(0, stop - start)
        self._ring[at : at + size] = 0
        self._ring[: max(0, at + size - self._ring.size)] = 0
        self._wiped = max(self._wiped, stop)

    def read(self, start: int, stop: int) -> NDArray[np.int16]:
        """Return a copy of `[start, stop)`, which must lie within what is kept."""
        if not self.oldest <= start <= stop <= self.end:
            raise IndexError(
                f"samples {start} to {stop} asked for, {self.oldest} to {self.end} are kept"
            )
        at = start % self._ring.size
        head = min(stop - start, self._ring.size - at)
        return np.concatenate((self._ring[at : at + head], self._ring[: stop - start - head]))
