"""One channel for everybody: seeded augmentation that both classes go through alike.

The collections of this field give themselves away by level, noise, band and padding, and a
classifier would rather learn those than intent. So every clip is cut to its speech and sent
through a random room, equalizer, noise, band limit, codec, gain and silence.
"""

from dataclasses import dataclass, field

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from training.data.clip import Wave
from turbo_stream.detection.speech_part import speech_edges


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the random channel; every range is drawn uniformly."""

    sample_rate: int = 16_000
    """Hertz."""

    speed: tuple[float, float] = (0.9, 1.1)
    """Factor of tempo and pitch, for half of the clips."""

    lead_s: tuple[float, float] = (0.05, 0.6)
    """Silence before the speech, seconds."""

    trail_s: tuple[float, float] = (0.05, 0.9)
    """Silence after the speech, seconds."""

    room_probability: float = 0.5
    """Share of clips sent through a room."""

    reverberation_s: tuple[float, float] = (0.1, 0.7)
    """T60 of a simulated room, seconds."""

    equalizer_db: float = 5.0
    """Standard deviation of the gain of a band, decibels."""

    snr_db: tuple[float, float] = (3.0, 38.0)
    """Speech over added noise, decibels."""

    band_probability: float = 0.5
    """Share of clips limited to a band."""

    codec_probability: float = 0.2
    """Share of clips through 8-bit mu-law."""

    level_db: tuple[float, float] = (-40.0, -10.0)
    """Root mean square of the result, decibels under full scale."""

    max_s: float = 8.0
    """Longest speech kept, seconds; of a longer clip a random part."""


@dataclass
class Surroundings:
    """Recorded noises and room responses to draw from; either may be empty."""

    noises: list[Wave] = field(default_factory=list)
    rooms: list[Wave] = field(default_factory=list)


def coloured_noise(rng: np.random.Generator, samples: int) -> Wave:
    """Noise whose power falls by a random 0 to 2 decades a decade: white, pink, brown."""
    size = next_fast_len(samples)
    spectrum = rng.standard_normal(size // 2 + 1) + 1j * rng.standard_normal(size // 2 + 1)
    slope = rng.uniform(0.0, 1.0)
    spectrum /= np.maximum(np.arange(len(spectrum)), 20.0) ** slope
    noise = irfft(spectrum, size)[:samples]
    return (noise / (noise.std() + 1e-9)).astype(np.float32)


def _simulated_room(rng: np.random.Generator, config: AugmentConfig) -> Wave:
    """Exponentially decaying noise behind a direct path of random relative strength."""
    decay_s = rng.uniform(*config.reverberation_s)
    samples = int(decay_s * config.sample_rate)
    time = np.arange(samples) / config.sample_rate
    tail = rng.standard_normal(samples) * 10.0 ** (-3.0 * time / decay_s)
    tail[: int(0.002 * config.sample_rate)] = 0.0
    direct_db = rng.uniform(-3.0, 15.0)
    tail *= 10.0 ** (-direct_db / 20.0) / (np.sqrt(np.square(tail).sum()) + 1e-9)
    tail[0] = 1.0
    return tail.astype(np.float32)


def _equalizer(rng: np.random.Generator, frequency: NDArray, config: AugmentConfig) -> NDArray:
    """Smooth random gain over `frequency` in hertz."""
    knots_hz = np.array([0, 100, 250, 600, 1200, 2400, 4800, 8000])
    gain_db = np.interp(frequency, knots_hz, rng.normal(0.0, config.equalizer_db, len(knots_hz)))
    return 10.0 ** (gain_db / 20.0)


def _band(rng: np.random.Generator, frequency: NDArray) -> NDArray:
    """Gain of a telephone, a small loudspeaker or a cheap microphone."""
    low_hz, high_hz = rng.uniform(40.0, 350.0), rng.choice([3400.0, 4000.0, 5500.0, 7000.0])
    rise = 1.0 / (1.0 + (low_hz / np.maximum(frequency, 1.0)) ** 6)
    return rise / (1.0 + (frequency / high_hz) ** 24)


def _mu_law(wave: Wave) -> Wave:
    """Through 8-bit mu-law and back."""
    peak = np.abs(wave).max() + 1e-9
    coded = np.sign(wave) * np.log1p(255.0 * np.abs(wave) / peak) / np.log(256.0)
    coded = np.round(coded * 127.0) / 127.0
    return (np.sign(coded) * np.expm1(np.abs(coded) * np.log(256.0)) / 255.0 * peak).astype("f4")


def _noise(rng: np.random.Generator, samples: int, surroundings: Surroundings) -> Wave:
    if surroundings.noises and rng.random() < 0.5:
        noise = surroundings.noises[rng.integers(len(surroundings.noises))]
        noise = np.roll(noise, rng.integers(len(noise)))
        noise = np.resize(noise, samples)
        return noise / (noise.std() + 1e-9)
    return coloured_noise(rng, samples)


def augment(wave: Wave, seed: int, config: AugmentConfig, surroundings: Surroundings) -> Wave:
    """Return `wave` `[T]`, in [-1, 1], through the channel that `seed` stands for."""
    rng = np.random.default_rng(seed)
    rate = config.sample_rate
    start, end = speech_edges(wave)
    wave = wave[start:end]
    longest = int(config.max_s * rate)
    if len(wave) > longest:
        offset = rng.integers(len(wave) - longest)
        wave = wave[offset : offset + longest]
    if rng.random() < 0.5:
        wave = soxr.resample(wave, rate * rng.uniform(*config.speed), rate)
    speech_power = float(np.square(wave).mean()) + 1e-9
    lead, trail = (int(rng.uniform(*span) * rate) for span in (config.lead_s, config.trail_s))
    total = lead + len(wave) + trail
    padded = np.zeros(next_fast_len(total + rate // 2), np.float32)
    padded[lead : lead + len(wave)] = wave
    return _through(padded, total, speech_power, len(wave), rng, config, surroundings)


def through_channel(
    wave: Wave, rng: np.random.Generator, config: AugmentConfig, surroundings: Surroundings
) -> Wave:
    """Return `wave` `[T]`, in [-1, 1], through a random channel, neither cut nor moved in time."""
    start, end = speech_edges(wave)
    spoken = wave[start:end]
    speech_power = float(np.square(spoken).mean()) + 1e-9
    padded = np.zeros(next_fast_len(len(wave) + config.sample_rate // 2), np.float32)
    padded[: len(wave)] = wave
    return _through(padded, len(wave), speech_power, len(spoken), rng, config, surroundings)


def _through(
    padded: Wave,
    total: int,
    speech_power: float,
    spoken: int,
    rng: np.random.Generator,
    config: AugmentConfig,
    surroundings: Surroundings,
) -> Wave:
    """Send `padded`, of whose first `total` samples `spoken` are speech, through a channel."""
    rate, size = config.sample_rate, len(padded)
    frequency = np.fft.rfftfreq(size, 1.0 / rate)
    spectrum = rfft(padded) * _equalizer(rng, frequency, config)
    if rng.random() < config.room_probability:
        if surroundings.rooms and rng.random() < 0.4:
            room = surroundings.rooms[rng.integers(len(surroundings.rooms))]
        else:
            room = _simulated_room(rng, config)
        spectrum *= rfft(room[: rate // 2], size)
    speech = irfft(spectrum, size)
    power = float(np.square(speech).sum()) / max(spoken, 1)
    speech *= np.sqrt(speech_power / (power + 1e-12))
    noise = _noise(rng, size, surroundings)
    noise = noise * np.sqrt(speech_power * 10.0 ** (-rng.uniform(*config.snr_db) / 10.0))
    mixed = speech + noise
    if rng.random() < config.band_probability:
        mixed = irfft(rfft(mixed) * _band(rng, frequency), size)
    mixed = mixed[:total].astype(np.float32)
    if rng.random() < config.codec_probability:
        mixed = _mu_law(mixed)
    level = 10.0 ** (rng.uniform(*config.level_db) / 20.0)
    mixed *= level / (np.sqrt(np.square(mixed).mean()) + 1e-9)
    return (np.round(np.clip(mixed, -1.0, 1.0) * 32767.0) / 32768.0).astype(np.float32)
