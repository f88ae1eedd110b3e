"""Wyoming's raw audio, of any rate, width and number of channels, as 16 kHz mono."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from turbo_stream.audio.resampler import Resampler, Samples, average_channels
from turbo_stream.audio.source import Pcm
from turbo_stream.errors import InputError

_PIECE_BYTES, _PIECE_S = 65_536, 4
"""Converted at once, so that a long chunk does not hold up the event loop."""


@dataclass(frozen=True)
class SoundFormat:
    """What the bytes of a chunk mean: little-endian integers, channels interleaved."""

    rate: int
    """Hertz."""

    width: int
    """Bytes of a sample: 1 (unsigned), 2, 3 or 4 (signed)."""

    channels: int

    def __post_init__(self) -> None:
        for name, lowest, highest in (
            ("rate", 1000, 384_000),
            ("width", 1, 4),
            ("channels", 1, 64),
        ):
            given = getattr(self, name)
            if type(given) is not int or not lowest <= given <= highest:
                raise InputError(f"{name} is {given!r:.40}; give {lowest} to {highest}")


class SoundReader:
    """Turns chunks of one format into PCM; where they are cut does not change the samples."""

    def __init__(self, sound_format: SoundFormat) -> None:
        self.format = sound_format
        self._resampler = Resampler(sound_format.rate)
        self._rest = b""

    def read(self, audio: bytes) -> Iterator[Pcm]:
        """Yield `[N]` int16 samples at 16 kHz of what `audio` completes, in short pieces."""
        frame_bytes = self.format.width * self.format.channels
        audio = self._rest + audio
        whole = len(audio) - len(audio) % frame_bytes
        self._rest = audio[whole:]
        step = min(_PIECE_BYTES // frame_bytes, _PIECE_S * self.format.rate) * frame_bytes
        for start in range(0, whole, step):
            piece = audio[start : min(whole, start + step)]
            samples = _to_float(piece, self.format.width).reshape(-1, self.format.channels)
            yield self._resampler.process(average_channels(samples))

    def finish(self) -> Pcm:
        """Return the last samples, which the resampler held back."""
        return self._resampler.process(np.zeros(0, np.float32), last=True)


def _to_float(audio: bytes, width: int) -> Samples:
    """Return `[N]` samples in -1..1."""
    match width:
        case 1:
            return (np.frombuffer(audio, np.uint8).astype(np.float32) - 128) * np.float32(2**-7)
        case 2:
            return np.frombuffer(audio, "<i2").astype(np.float32) * np.float32(2**-15)
        case 3:
            # As the upper three bytes of 32 bits, so that the sign is where it belongs.
            words = np.zeros((len(audio) // 3, 4), np.uint8)
            words[:, 1:] = np.frombuffer(audio, np.uint8).reshape(-1, 3)
            return words.view("<i4")[:, 0].astype(np.float32) * np.float32(2**-31)
        case _:
            return np.frombuffer(audio, "<i4").astype(np.float32) * np.float32(2**-31)
