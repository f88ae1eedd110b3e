"""The samples of one item, and no more of its file than that."""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turbo_stream.audio.decoder import Decoder, Frames, open_decoder
from turbo_stream.audio.resampler import (
    Samples,
    average_channels,
    resample_blocks,
    silence_non_finite,
)
from turbo_stream.errors import InputError


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
    found = False
    with closing(open_decoder(path)) as decoder:
        mono = _mono(_cut(decoder, offset_s, duration_s))
        for pcm in resample_blocks(mono, decoder.rate):
            found = True
            yield pcm
    if not found:
        raise InputError(f"{path} has no sound from {offset_s} s on; check offset and duration")


def _mono(blocks: Iterator[Frames]) -> Iterator[Samples]:
    for frames in blocks:
        silence_non_finite(frames)
        yield average_channels(frames)


def _cut(decoder: Decoder, offset_s: float, duration_s: float | None) -> Iterator[Frames]:
    """Yield the frames of the clip at the file's own rate: cut first, resampled then."""
    if not math.isfinite(offset_s):
        return
    start = round(offset_s * decoder.rate)
    stop = None
    if duration_s is not None and math.isfinite(duration_s):
        stop = start + round(duration_s * decoder.rate)
    at = decoder.skip(start) if start else 0
    for frames in decoder.blocks():
        part = frames[max(0, start - at) : None if stop is None else max(0, stop - at)]
        at += len(frames)
        if len(part):
            yield part
        if stop is not None and at >= stop:
            return
