"""Sound that somebody else brings: a network client, another program's own audio."""

import threading
from collections import deque
from collections.abc import Iterator

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.audio.mute import MuteWatch
from turbo_stream.audio.source import Block, Gap, Pcm, SourceItem
from turbo_stream.errors import InputError


class PushSource:
    """A live source that is fed from outside, by any thread.

    `push` never waits: what does not fit is lost, and told as a gap where it is missing. Who can
    make the sender wait instead asks for `room` first.
    """

    live = True

    def __init__(self, buffer_s: float = 10.0) -> None:
        """Let up to `buffer_s` seconds wait for the reader. Raises `InputError` below 0.1."""
        if not buffer_s >= 0.1:
            raise InputError(f"a buffer of {buffer_s:g} s was asked for; give 0.1 s or more")
        self._capacity = to_samples(buffer_s)
        self._items: deque[Block | Gap] = deque()
        self._waiting = 0
        self._ended = False
        self._changed = threading.Condition()

    @property
    def room(self) -> int:
        """Samples that would fit now."""
        with self._changed:
            return self._capacity - self._waiting

    def push(self, pcm: Pcm, reference: Pcm | None = None) -> None:
        """Append `pcm`, `[N]` int16 at 16 kHz mono; `reference`, `[N]`, is what the device played.

        Raises `InputError` for another type or shape. After `end` nothing is taken any more.
        """
        for given in (pcm,) if reference is None else (pcm, reference):
            if given.dtype != np.int16 or given.ndim != 1:
                raise InputError(
                    f"samples of type {given.dtype} and shape {list(given.shape)} were pushed; "
                    f"give int16 of shape [N], {SAMPLE_RATE} Hz mono"
                )
        with self._changed:
            if self._ended or not pcm.size:
                return
            if pcm.size > self._capacity - self._waiting:
                self._lose(pcm.size, "input overflow")
            else:
                self._items.append(Block(pcm, reference))
                self._waiting += pcm.size
            self._changed.notify()

    def lose(self, lost_samples: int, cause: str) -> None:
        """Tell that samples are missing here, for a person by their `cause`."""
        with self._changed:
            if not self._ended and lost_samples > 0:
                self._lose(lost_samples, cause)
                self._changed.notify()

    def end(self) -> None:
        """Take nothing more; what was pushed is still heard. Idempotent."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def close(self) -> None:
        """Do what `end` does, as every source can be told."""
        self.end()

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield what is pushed until `end`, waiting for it."""
        watch = MuteWatch()
        while (item := self._take()) is not None:
            yield from watch.pass_on(item)
            del item  # not kept while the next is waited for

    def _lose(self, samples: int, cause: str) -> None:
        last = self._items[-1] if self._items else None
        if isinstance(last, Gap) and last.cause == cause:
            self._items[-1] = Gap(last.lost_samples + samples, cause)
        else:
            self._items.append(Gap(samples, cause))

    def _take(self) -> SourceItem | None:
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended)
            if not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item, Block):
                self._waiting -= item.pcm.size
            return item
