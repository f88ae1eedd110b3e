"""Rooms: where the microphone and the talkers stand, and what the walls add."""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE

DISTANCE_RANGE_M = (0.4, 5.0)
REVERBERATION_RANGE_S = (0.15, 0.8)
AWAY_SHARE = {"directed": 0.2, "not_directed": 0.5}
"""How often a talker in a room faces away from the device: the one acoustic cue of intent."""

FACING_RANGE_DEGREES = {"device": (-35.0, 35.0), "away": (90.0, 270.0)}
"""Angle between where the talker looks and the device."""

_SIZE_RANGES_M = ((3.0, 7.0), (2.5, 5.5), (2.3, 3.0))
_FROM_WALL_M = 0.3
_ORDER = 8
"""Reflections that are followed; later ones run into each other and become a decaying noise."""

_CROSSOVER_HZ = 1000.0
_LOW_CARDIOID, _HIGH_CARDIOID = 0.85, 0.6
"""Share of the omnidirectional part: behind the head 3 dB less below the crossover, 14 dB above, a
rough picture of what is measured around talkers (Chu and Warnock 2002, NRC IRC-RR-104)."""

_FILTER_DELAY = 40
"""Samples that pyroomacoustics puts before every response."""

_BEFORE_DIRECT = 8
_SPEED_OF_SOUND = 343.0

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Room:
    """A furnished box with a microphone, a talker and somebody else."""

    size_m: Point
    reverberation_s: float
    """Time in which the sound falls by 60 dB."""
    microphone_m: Point
    talker_m: Point
    other_m: Point

    @property
    def distance_m(self) -> float:
        """From the talker to the microphone."""
        return math.dist(self.talker_m, self.microphone_m)


def draw_room(rng: random.Random) -> Room:
    """Return a room in which the talker is 0.4 to 5 m from the microphone, log-uniformly."""
    wanted_m, other_m = _log_uniform(rng, DISTANCE_RANGE_M), _log_uniform(rng, DISTANCE_RANGE_M)
    while True:
        size_m = _point(rng.uniform(*span) for span in _SIZE_RANGES_M)
        width, depth, _ = size_m
        microphone_m = _point([_inside(rng, width), _inside(rng, depth), rng.uniform(0.6, 1.4)])
        talker_m = _at(rng, microphone_m, wanted_m)
        second_m = _at(rng, microphone_m, other_m)
        if _fits(talker_m, size_m) and _fits(second_m, size_m):
            reverberation_s = round(_log_uniform(rng, REVERBERATION_RANGE_S), 3)
            return Room(size_m, reverberation_s, microphone_m, talker_m, second_m)


def room_response(
    room: Room, source_m: Point, facing_degrees: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the impulse response `[N]` from a talker at `source_m` to the microphone.

    `facing_degrees` is the angle between the talker's look and the microphone. The early part is
    of image sources (Allen and Berkley 1979, by pyroomacoustics) with a directional talker, the
    late part of noise that decays exponentially. The direct sound stands at sample 8.
    """
    early = _early(room, source_m, facing_degrees)
    length = len(early) + round(room.reverberation_s * SAMPLE_RATE)
    response = np.zeros(length)
    # Only until here have all reflections come that are due by then.
    whole = round(0.8 * _ORDER * min(room.size_m) / _SPEED_OF_SOUND * SAMPLE_RATE)
    whole = min(whole, len(early))
    response[:whole] = early[:whole]
    window = SAMPLE_RATE // 50
    power = float(np.mean(early[whole - window : whole] ** 2))
    decay = 10 ** (-3.0 * np.arange(length - whole) / (room.reverberation_s * SAMPLE_RATE))
    response[whole:] = rng.standard_normal(length - whole) * decay * math.sqrt(power)
    end = whole + round(0.7 * room.reverberation_s * SAMPLE_RATE)
    return response[:end].astype(np.float32)


def _early(room: Room, source_m: Point, facing_degrees: float) -> NDArray[np.float64]:
    """Return the reflections up to `_ORDER`, `[N]`, cut to begin just before the direct sound."""
    import pyroomacoustics as pra
    from pyroomacoustics.directivities import CardioidFamily, DirectionVector

    pra.constants.set("num_threads", 1)
    absorption, _ = pra.inverse_sabine(room.reverberation_s, room.size_m)
    box = pra.ShoeBox(
        room.size_m, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=_ORDER
    )
    towards = math.degrees(
        math.atan2(room.microphone_m[1] - source_m[1], room.microphone_m[0] - source_m[0])
    )
    look = DirectionVector(azimuth=towards + facing_degrees, colatitude=90, degrees=True)
    for cardioid in (_LOW_CARDIOID, _HIGH_CARDIOID):
        box.add_source(source_m, directivity=CardioidFamily(orientation=look, p=cardioid))
    box.add_microphone(room.microphone_m)
    box.compute_rir()
    distance_m = math.dist(source_m, room.microphone_m)
    direct = _FILTER_DELAY + round(distance_m / _SPEED_OF_SOUND * SAMPLE_RATE)
    low, high = (np.asarray(rir, np.float64)[direct - _BEFORE_DIRECT :] for rir in box.rir[0])
    return _crossed_over(low, high)


def _crossed_over(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `low` below the crossover and `high` above it, `[N]`, without a shift in time."""
    length = max(len(low), len(high))
    frequency = np.fft.rfftfreq(length, 1 / SAMPLE_RATE)
    weight = 1 / (1 + (frequency / _CROSSOVER_HZ) ** 4)
    both = np.fft.rfft(low, length) * weight + np.fft.rfft(high, length) * (1 - weight)
    return np.fft.irfft(both, length)


def _log_uniform(rng: random.Random, span: tuple[float, float]) -> float:
    return math.exp(rng.uniform(math.log(span[0]), math.log(span[1])))


def _inside(rng: random.Random, length_m: float) -> float:
    return rng.uniform(_FROM_WALL_M, length_m - _FROM_WALL_M)


def _at(rng: random.Random, microphone_m: Point, distance_m: float) -> Point:
    """Return a mouth at this distance, sitting or standing."""
    angle = rng.uniform(0.0, 2 * math.pi)
    rise_m = rng.uniform(1.1, 1.7) - microphone_m[2]
    rise_m = max(-0.9 * distance_m, min(0.9 * distance_m, rise_m))
    flat_m = math.sqrt(distance_m**2 - rise_m**2)
    x, y, z = microphone_m
    return _point([x + flat_m * math.cos(angle), y + flat_m * math.sin(angle), z + rise_m])


def _fits(point_m: Point, size_m: Point) -> bool:
    return all(
        _FROM_WALL_M <= at <= length - _FROM_WALL_M
        for at, length in zip(point_m, size_m, strict=True)
    )


def _point(values: Iterable[float]) -> Point:
    x, y, z = (round(value, 3) for value in values)
    return x, y, z
