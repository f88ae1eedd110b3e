"""Digital silence: what a microphone delivers that is muted, or that a program may not use."""

from collections.abc import Iterator

import numpy as np

from turbo_stream._util.timebase import to_samples
from turbo_stream.audio.source import Block, Connection, SourceItem

MUTED_AFTER_S = 3.0
"""Seconds of nothing but zeros. No room is so quiet, and no device takes so long to begin."""


class MuteWatch:
    """Passes on what a live source yields, and tells where it is muted and where sound comes.

    A function of the samples alone, however they are cut into blocks. An observation: nothing is
    decided by it.
    """

    def __init__(self, after_s: float = MUTED_AFTER_S) -> None:
        """Tell after `after_s` seconds of zeros."""
        self._detail = (
            f"nothing but zeros for {after_s:g} s; is it switched off, or this program not allowed "
            "to use it?"
        )
        self._limit = to_samples(after_s)
        self._zeros = 0
        self._muted = False

    def pass_on(self, item: SourceItem) -> Iterator[SourceItem]:
        """Yield `item`, cut where there is something to tell."""
        match item:
            case Block():
                yield from self._pass_on(item)
            case Connection():
                # Another device, or the same one anew.
                self._zeros, self._muted = 0, False
                yield item
            case _:
                yield item

    def _pass_on(self, block: Block) -> Iterator[SourceItem]:
        start = 0
        while (turn := self._next_turn(block, start)) is not None:
            if turn > start:
                yield _part(block, start, turn)
            self._zeros, self._muted = 0, not self._muted
            yield (
                Connection("muted", self._detail) if self._muted else Connection("active", "sound")
            )
            start = turn
        if start < len(block.pcm):
            yield _part(block, start, len(block.pcm)) if start else block

    def _next_turn(self, block: Block, start: int) -> int | None:
        """Return where, from `start` on, the source falls silent or is heard again; else None."""
        pcm = block.pcm[start:]
        heard = np.flatnonzero(pcm)
        if self._muted:
            return start + int(heard[0]) if len(heard) else None
        # Runs of zeros lie between the samples that are heard; the first may have begun before.
        edges = np.concatenate(([-1 - self._zeros], heard, [len(pcm)]))
        runs = np.diff(edges) - 1
        long = np.flatnonzero(runs >= self._limit)
        if len(long):
            return start + int(edges[long[0]]) + 1 + self._limit
        self._zeros = int(runs[-1])
        return None


def _part(block: Block, start: int, end: int) -> Block:
    reference = None if block.reference is None else block.reference[start:end]
    return Block(block.pcm[start:end], reference)
