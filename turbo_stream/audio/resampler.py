"""Any rate in, 16 kHz int16 out, with the filter's state carried from block to block."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.frames import Lost
from turbo_stream.audio.source import Gap, Pcm

Samples = NDArray[np.float32]

HEADROOM = 8.0
"""Linear; louder samples are broken data, and would overflow inside the filter."""


class Resampler:
    """Streaming conversion of mono float samples to 16 kHz int16.

    Where the blocks are cut does not change the samples. At 16 kHz nothing is filtered, and int16
    input comes back bit for bit. Rounded to nearest, no dither, saturating.
    """

    def __init__(self, rate: int) -> None:
        """Prepare for input at `rate` Hz."""
        self.rate = rate
        self._stream: Any = None
        if rate != SAMPLE_RATE:
            import soxr

            self._stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def process(self, samples: Samples, last: bool = False) -> Pcm:
        """Return what is ready of `[N]` samples in -1..1 at `rate`; `last` flushes the filter."""
        # Not np.clip alone: NaN must already be gone, see `silence_non_finite`.
        bounded = np.clip(samples, -HEADROOM, HEADROOM)
        if self._stream is not None:
            bounded = self._stream.resample_chunk(np.ascontiguousarray(bounded), last=last)
        return to_pcm(bounded)

    def finish(self) -> Pcm:
        """Return what the filter still holds, and forget the past, as before a gap."""
        tail = self.process(np.zeros(0, np.float32), last=True)
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget the past, as after a gap."""
        if self._stream is not None:
            self._stream.clear()


def resample_blocks(items: Iterable[Samples | Lost], rate: int) -> Iterator[Pcm | Gap]:
    """Yield what a `Resampler` makes of whole mono sound at `rate` Hz, its tail included.

    Where the sound is interrupted the filter begins anew, and what follows stays in its place: a
    gap is as long as the time that the samples so far do not fill.
    """
    resampler = Resampler(rate)
    read, yielded = 0, 0
    for item in items:
        if isinstance(item, Lost):
            pcm = resampler.finish()
            read += item.frames
        else:
            pcm = resampler.process(item)
            read += len(item)
        if len(pcm):
            yielded += len(pcm)
            yield pcm
        if isinstance(item, Lost):
            lost = round(read * SAMPLE_RATE / rate) - yielded
            yielded += lost
            yield Gap(lost, item.cause)
    tail = resampler.finish()
    if len(tail):
        yield tail


def average_channels(frames: Samples) -> Samples:
    """Return `[N, C]` samples as mono, `[N]`."""
    return frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1)


def to_pcm(samples: Samples) -> Pcm:
    """Return `[N]` samples in -1..1 as int16, rounded and saturating."""
    pcm: Pcm = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
    return pcm


def silence_non_finite(samples: Samples) -> int:
    """Set NaN and infinity in `samples` (any shape) to zero, in place; return how many."""
    bad = ~np.isfinite(samples)
    count = int(np.count_nonzero(bad))
    if count:
        samples[bad] = 0.0
    return count
