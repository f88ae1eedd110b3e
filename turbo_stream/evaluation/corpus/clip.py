"""The samples of one item, and no more of its file than that."""

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.decoder import open_decoder
from turbo_stream.audio.frames import Frames, Lost, part
from turbo_stream.audio.mixer import Mixer
from turbo_stream.audio.resampler import Samples, resample_blocks, silence_non_finite
from turbo_stream.audio.source import Gap
from turbo_stream.errors import InputError


def read_clip(
    path: Path, offset_s: float = 0.0, duration_s: float | None = None
) -> NDArray[np.int16]:
    """Return `[N]` int16 at 16 kHz: the clip of `path` from `offset_s` on, channels averaged.

    Times are a player's: where the file's time stamps leave time out, there is silence.

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
    if not math.isfinite(offset_s):
        raise _nothing_there(path, offset_s)
    with closing(open_decoder(path)) as decoder:
        # Cut first, at the file's own rate, and resampled then.
        start = round(offset_s * decoder.rate)
        stop = None
        if duration_s is not None and math.isfinite(duration_s):
            stop = start + round(duration_s * decoder.rate)
        at = decoder.skip(start) if start else 0
        items = part(decoder.blocks(), at, start, stop)
        for item in resample_blocks(_mono(items, decoder.rate), decoder.rate):
            found = True
            if isinstance(item, Gap):
                yield from _silence(item.lost_samples)
            else:
                yield item
    if not found:
        raise _nothing_there(path, offset_s)


def _nothing_there(path: Path, offset_s: float) -> InputError:
    return InputError(f"{shown(path)} has no sound from {offset_s} s on; check offset and duration")


def _silence(samples: int) -> Iterator[NDArray[np.int16]]:
    for start in range(0, samples, SAMPLE_RATE):
        yield np.zeros(min(SAMPLE_RATE, samples - start), np.int16)


def _mono(items: Iterator[Frames | Lost], rate: int) -> Iterator[Samples | Lost]:
    mixer = Mixer(rate)
    for item in items:
        if isinstance(item, Lost):
            yield item
        else:
            silence_non_finite(item)
            yield mixer.mix(item)
