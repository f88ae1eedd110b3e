"""Sound as a room has it in a day, built of one recording of speech: any stretch of it, any time.

Speech, the same speech as from a television, noise, tones, clipping, a quiet room and digital
silence. A piece is made of its number alone.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples

Rng = np.random.Generator
_Float = NDArray[np.float64]


def speech(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return a stretch of `recording`, over and over, as loud as somebody near or far."""
    return np.roll(np.resize(recording, samples), -_place(recording, rng)) * rng.uniform(0.2, 1.2)


def television(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return two talkers at a time, dull and from far off, and music under them."""
    talk = speech(recording, samples, rng) + speech(recording, samples, rng)[::-1]
    dull = np.convolve(talk, np.ones(6) / 6, "same")
    return 0.4 * dull + 0.3 * tones(recording, samples, rng)


def noise(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return white or brown noise, whose level goes up and down."""
    white = rng.normal(0, 1, samples)
    if rng.random() < 0.5:
        white = np.convolve(white, np.ones(64) / 8, "same")
    swell = 1 + 0.8 * np.sin(np.arange(samples) * 2 * np.pi / SAMPLE_RATE / rng.uniform(2, 30))
    return 10 ** rng.uniform(1, 3.3) * white * swell


def tones(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return chords of half a second, as of an appliance or of music."""
    step = SAMPLE_RATE // 2
    hertz = np.repeat(rng.choice([220, 277, 330, 440, 554, 659], (samples // step + 1, 2)), step, 0)
    turns = np.cumsum(hertz[:samples], 0) * 2 * np.pi / SAMPLE_RATE
    return 10 ** rng.uniform(1, 3.3) * np.sin(turns).sum(1)


def clipping(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return speech that is far too loud."""
    return 20 * speech(recording, samples, rng)


def quiet_room(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return the noise of a room in which nothing happens."""
    return rng.normal(0, rng.uniform(1, 40), samples)


def silence(recording: _Float, samples: int, rng: Rng) -> _Float:
    """Return zeros."""
    return np.zeros(samples)


KINDS: dict[Callable[[_Float, int, Rng], _Float], float] = {
    speech: 0.25,
    television: 0.12,
    noise: 0.1,
    tones: 0.05,
    clipping: 0.03,
    quiet_room: 0.35,
    silence: 0.1,
}
"""How much of a day each is."""


def piece(recording: NDArray[np.int16], seconds: float, rng: Rng) -> NDArray[np.int16]:
    """Return `seconds` of one kind, `[N]` at 16 kHz, of `recording`, `[M]`."""
    make = list(KINDS)[rng.choice(len(KINDS), p=list(KINDS.values()))]
    made = make(recording.astype(np.float64), to_samples(seconds), rng)
    return np.clip(np.round(made), -32768, 32767).astype(np.int16)


def with_echo(pcm: NDArray[np.int16], played: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return `pcm`, `[N]`, and what a microphone hears of `played`, `[N]`, by the device."""
    late = np.concatenate([np.zeros(240, np.int16), played[:-240]])
    return np.clip(pcm + 0.3 * late, -32768, 32767).astype(np.int16)


def _place(recording: _Float, rng: Rng) -> int:
    return int(rng.integers(len(recording)))
