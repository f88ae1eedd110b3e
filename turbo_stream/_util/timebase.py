"""The one clock of the pipeline: 16 kHz samples inside, seconds at the edge."""

SAMPLE_RATE = 16_000
"""Hertz, of every PCM array that crosses a module border."""


def to_seconds(samples: int) -> float:
    """Return `samples` at 16 kHz as seconds."""
    return samples / SAMPLE_RATE


def to_samples(seconds: float) -> int:
    """Return `seconds` as the nearest whole number of 16 kHz samples."""
    return round(seconds * SAMPLE_RATE)


def ms_to_samples(milliseconds: float) -> int:
    """Return `milliseconds` as the nearest whole number of 16 kHz samples."""
    return round(milliseconds * SAMPLE_RATE / 1000)
