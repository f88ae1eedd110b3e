"""The sound of a recording as every listener of a measurement gets it, through a channel drawn."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from training.data.augment import AugmentConfig, Surroundings, augment
from training.data.clip import Clip, Wave, read_wave
from training.data.features import channel_digest
from training.data.row import Row
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.detection.speech_part import speech_part

_TOP_HZ = 5000.0
"""One collection was recorded at 11 kHz: nobody has more."""

_STEEPNESS = 48


@dataclass(frozen=True)
class Channel:
    """Random channels, the same of both classes, cut to the speech in what comes out."""

    surroundings: Surroundings
    config: AugmentConfig = AugmentConfig(max_s=4.0)

    @property
    def key(self) -> str:
        """What a wave depends on beside its clip and the draw."""
        return f"{channel_digest(self.config, self.surroundings)} {_TOP_HZ}/{_STEEPNESS}"

    def __call__(self, clip: Clip, draw: int) -> Wave:
        """Return the speech of `clip` through the channel that `draw` stands for, `[T]`."""
        digest = hashlib.sha256(f"{draw}/{clip.name}".encode("utf-8", "surrogatepass")).digest()
        wave = _band_limited(read_wave(clip))
        heard = augment(wave, int.from_bytes(digest[:8]), self.config, self.surroundings)
        return np.ascontiguousarray(speech_part(heard))


def _band_limited(wave: Wave) -> Wave:
    """Return `wave` `[T]` without what is above 5 kHz."""
    size = next_fast_len(len(wave) + SAMPLE_RATE // 10)
    frequency = np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    gain = 1.0 / (1.0 + (frequency / _TOP_HZ) ** _STEEPNESS)
    return irfft(rfft(wave, size) * gain, size)[: len(wave)].astype(np.float32)


def some_rows(rows: Sequence[Row], most: int, *, seed: int = 0) -> list[Row]:
    """Return at most `most` rows of each class of each collection, drawn, in their order."""
    order = np.random.default_rng(seed).permutation(len(rows))
    counts: dict[tuple[str, int], int] = {}
    kept = []
    for at in order:
        kind = (rows[at].collection, rows[at].label)
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= most:
            kept.append(int(at))
    return [rows[at] for at in sorted(kept)]
