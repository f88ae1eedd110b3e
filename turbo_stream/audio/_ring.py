"""Samples on their way from the audio callback to the reader, in memory allocated once."""

import contextlib
import select
import socket

import numpy as np
from numpy.typing import NDArray

LOSSES = 256
"""How many separate losses may wait for the reader; further ones are added up."""


class Ring:
    """A ring buffer for one writer thread and one reader thread, without locks.

    The writer never waits: what does not fit is lost, and the number of lost frames is kept at
    the place where they are missing. Counters only grow, each is stored by one side only, and
    they are published after the data they stand for.
    """

    def __init__(self, capacity: int, channels: int) -> None:
        """Hold up to `capacity` frames of `channels` int16 samples."""
        self._frames = np.zeros((capacity, channels), np.int16)
        self._bytes = self._frames.data.cast("B")
        self._frame_bytes = 2 * channels
        self._written = 0
        self._read = 0
        self._loss_at = [0] * LOSSES
        self._loss_frames = [0] * LOSSES
        self._losses_written = 0
        self._losses_read = 0
        self._untold = 0

    @property
    def unread(self) -> int:
        """Frames that wait for the reader."""
        return self._written - self._read

    def write(self, frames: bytes | memoryview, lost_before: int = 0) -> None:
        """Append frames, before which the device lost `lost_before` ones.

        `frames` are bytes, C int16 samples to a frame: wrapping them in an array takes longer than
        everything that is done here.
        """
        size = self._frame_bytes
        count, capacity = len(frames) // size, len(self._frames)
        self._untold += lost_before
        if count > capacity - self.unread:
            self._untold += count
            return
        if self._untold and self._losses_written - self._losses_read < LOSSES:
            slot = self._losses_written % LOSSES
            self._loss_at[slot], self._loss_frames[slot] = self._written, self._untold
            self._losses_written += 1
            self._untold = 0
        start = self._written % capacity
        head = min(count, capacity - start)
        if head == count:
            self._bytes[start * size : (start + count) * size] = frames
        else:
            self._bytes[start * size :] = frames[: head * size]
            self._bytes[: (count - head) * size] = frames[head * size :]
        self._written += count

    def read(self) -> tuple[int, NDArray[np.int16]]:
        """Return the number of frames lost here, and the `[N, C]` frames up to the next loss.

        Nothing lost and no frames: the ring is empty.
        """
        end, lost = self._written, 0
        if self._losses_read < self._losses_written:
            slot = self._losses_read % LOSSES
            if self._loss_at[slot] == self._read:
                lost = self._loss_frames[slot]
                self._losses_read += 1
        if self._losses_read < self._losses_written:
            end = min(end, self._loss_at[self._losses_read % LOSSES])
        capacity = len(self._frames)
        start, count = self._read % capacity, end - self._read
        head = min(count, capacity - start)
        parts = self._frames[start : start + head], self._frames[: count - head]
        frames = np.concatenate(parts)
        for part in parts:
            part.fill(0)  # what was heard is not kept until there is other sound
        self._read = end
        return lost, frames


class WakeUp:
    """What `threading.Event` is, without its lock.

    `set` may be called from an audio callback, and from a signal handler that interrupted the
    very thread that waits or sets; a lock would hang there.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def set(self) -> None:
        """End the present `wait`, or the next one."""
        # Full: enough wake-ups are under way. Closed: nobody waits any more.
        with contextlib.suppress(OSError):
            self._writer.send(b"\0")

    def wait(self, timeout_s: float) -> None:
        """Return when `set` was called since the last `wait`, or after `timeout_s`."""
        select.select([self._reader], [], [], max(0.0, timeout_s))
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)

    def close(self) -> None:
        """Release both ends; idempotent."""
        self._reader.close()
        self._writer.close()
