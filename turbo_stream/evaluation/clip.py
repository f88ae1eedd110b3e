"""The samples of one item, and no more of its file than that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turbo_stream.audio.file import FileSource
from turbo_stream.audio.source import Block
from turbo_stream.errors import InputError
from turbo_stream.timebase import to_samples, to_seconds


def read_clip(
    path: Path, offset_s: float = 0.0, duration_s: float | None = None
) -> NDArray[np.int16]:
    """Return `[N]` int16 at 16 kHz: the clip of `path` from `offset_s` on, channels averaged.

    Raises:
        InputError: the file is missing or no sound, or the clip begins after its end.
    """
    return np.concatenate(list(clip_blocks(path, offset_s, duration_s)))


def clip_blocks(
    path: Path, offset_s: float = 0.0, duration_s: float | None = None
) -> Iterator[NDArray[np.int16]]:
    """Yield the clip that `read_clip` returns block by block, never more than one in memory.

    Raises:
        InputError: as `read_clip`.
    """
    start = to_samples(offset_s)
    stop = None if duration_s is None else start + to_samples(duration_s)
    at = found = 0
    for pcm in (block.pcm for block in FileSource(path) if isinstance(block, Block)):
        part = pcm[max(0, start - at) : None if stop is None else max(0, stop - at)]
        at += len(pcm)
        if len(part):
            found += len(part)
            yield part
        if stop is not None and at >= stop:
            break
    if not found:
        raise InputError(
            f"{path} has no sound from {offset_s} s on: it is {to_seconds(at):.2f} s long"
        )
