import math
import random

import numpy as np
import pytest

pytest.importorskip("pyroomacoustics", reason="needs the train extra")

from tools.corpus.room import DISTANCE_RANGE_M, Room, draw_room, room_response

ROOM = Room((5.0, 4.0, 2.6), 0.4, (1.0, 2.0, 1.0), (2.5, 2.0, 1.4), (4.0, 3.0, 1.2))


def response(facing_degrees: float, room: Room = ROOM) -> np.ndarray:
    return room_response(room, room.talker_m, facing_degrees, np.random.default_rng(0))


def direct_db(sound: np.ndarray) -> float:
    """Return the first 3 ms over all that follows."""
    power = sound.astype(np.float64) ** 2
    return 10 * math.log10(power[:48].sum() / power[48:].sum())


def highs_db(sound: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / 16_000)
    return 10 * math.log10(power[frequency > 2000].mean() / power[frequency < 700].mean())


def test_who_looks_away_is_duller_and_less_direct() -> None:
    assert direct_db(response(0)) > direct_db(response(180)) + 4
    assert highs_db(response(0)) > highs_db(response(180)) + 1


def test_sound_begins_at_once_and_falls_as_the_room_says() -> None:
    sound = response(0).astype(np.float64)
    assert int(np.argmax(np.abs(sound))) < 16
    left_db = 10 * np.log10(np.cumsum(sound[::-1] ** 2)[::-1] / np.sum(sound**2) + 1e-12)
    t20_s = (np.argmax(left_db < -25) - np.argmax(left_db < -5)) / 16_000
    assert 3 * t20_s == pytest.approx(ROOM.reverberation_s, rel=0.25)


def test_rooms_hold_their_people_at_any_distance() -> None:
    rng = random.Random(1)
    rooms = [draw_room(rng) for _ in range(200)]
    distances_m = np.array([room.distance_m for room in rooms])
    low, high = DISTANCE_RANGE_M
    assert low - 0.01 <= distances_m.min() < 0.6
    assert 3.5 < distances_m.max() <= high + 0.01
    assert 1.1 < np.median(distances_m) < 1.8
    for room in rooms:
        for point in (room.microphone_m, room.talker_m, room.other_m):
            assert all(0 < at < size for at, size in zip(point, room.size_m, strict=True))
