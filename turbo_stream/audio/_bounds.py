"""What a sound file may say of itself: memory and time are spent by it."""

from collections.abc import Iterator

from turbo_stream.audio.frames import BLOCK_MS, Frames
from turbo_stream.errors import InputError

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
"""Hertz. A damaged header may say anything up to 2 GHz."""

MOST_CHANNELS = 64
"""FFmpeg converts no more of them, and no microphone array that is sold has more."""

MOST_VALUES_PER_S = 2**24
"""Samples a second of all channels together; 64 channels at 192 kHz have fewer."""

ALLOWED = f"1 to {MOST_CHANNELS} channels of {LOWEST_RATE} to {HIGHEST_RATE} Hz"
"""For a person."""

MOST_VALUES = 2**18
"""Samples of all channels together in one block: 1 MiB, and as much again at each step."""

MOST_DECODED = 2**22
"""And in what a codec or a converter makes at once, before it is cut into blocks: 16 MiB."""


def check_bounds(name: str, rate: int, channels: int) -> None:
    """Raise `InputError` for a file, called `name`, that says what no recording of speech has."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(
            f"{name} says it has {rate} samples a second, which no recording of speech has "
            f"({LOWEST_RATE} to {HIGHEST_RATE}); its header is damaged, convert or record it again"
        )
    if not 1 <= channels <= MOST_CHANNELS:
        raise InputError(
            f"{name} says it has {channels} channels, and 1 to {MOST_CHANNELS} are read; its "
            "header is damaged, or keep those that hold the speech"
        )
    if rate * channels > MOST_VALUES_PER_S:
        raise InputError(
            f"{name} says it has {channels} channels of {rate} samples a second, together "
            f"{rate * channels}, and up to {MOST_VALUES_PER_S} are read; its header is damaged, or "
            "keep the channels that hold the speech"
        )


def block_frames(rate: int, channels: int) -> int:
    """Return how many frames make a block: about 100 ms, fewer of very many channels."""
    return max(1, min(rate * BLOCK_MS // 1000, MOST_VALUES // channels))


def pieces(frames: Frames, rate: int) -> Iterator[Frames]:
    """Yield `[N, C]` frames in blocks of at most a second and `MOST_VALUES`."""
    size = max(1, min(rate, MOST_VALUES // frames.shape[1]))
    for start in range(0, len(frames), size):
        yield frames[start : start + size]
