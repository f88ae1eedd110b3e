"""The ring, the levels, the noise floor, the end silence and the place to split."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.speech_material import hiss
from turbo_stream.segmentation._end_silence import EndSilence
from turbo_stream.segmentation._history import History
from turbo_stream.segmentation._utterance import Frame, split_point
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.level import SILENCE_DB, Level, NoiseFloor, frame_level


@given(
    capacity=st.integers(1, 50),
    sizes=st.lists(st.integers(0, 50), max_size=20),
    skip=st.integers(0, 1000),
)
def test_the_ring_keeps_the_newest_samples(capacity, sizes, skip):
    history = History(capacity)
    history.restart(skip)
    written = np.arange(sum(min(s, capacity) for s in sizes), dtype=np.int16)
    at = 0
    for size in sizes:
        history.append(written[at : at + min(size, capacity)])
        at += min(size, capacity)
    assert history.end == skip + at
    assert history.end - history.oldest == min(at, capacity)
    np.testing.assert_array_equal(
        history.read(history.oldest, history.end), written[max(0, at - capacity) :]
    )
    with pytest.raises(IndexError):
        history.read(history.oldest - 1, history.end)


def test_levels_do_not_hear_a_constant_offset_or_digital_silence():
    noise = hiss(0.02, 300)
    shifted = frame_level((noise + 9000).astype(np.int16))
    assert shifted == pytest.approx(frame_level(noise), abs=0.1)
    assert frame_level(np.zeros(320, np.int16)) == (SILENCE_DB, SILENCE_DB)
    assert frame_level(np.full(3, 99, np.int16)) == (SILENCE_DB, SILENCE_DB)


def test_the_floor_follows_the_room_and_not_the_speech():
    floor = NoiseFloor(20, initial_db=-75)
    for turn in range(600):
        floor.update(-20.0 if turn % 50 < 40 else -60.0)
    assert -62 < floor.db < -55
    for _ in range(200):
        floor.update(SILENCE_DB)
    assert floor.db > -62
    for _ in range(400):
        floor.update(-35.0)
    assert floor.db == pytest.approx(-35, abs=1)


def test_the_end_silence_follows_the_pauses_within_its_bounds():
    config = SegmenterConfig()
    wait = EndSilence(config)
    first = wait.required_samples(2000)
    assert first == config.end_silence_ms * 16
    assert wait.required_samples(100) > first
    for _ in range(20):
        wait.observe(120)
    quick = wait.required_samples(2000)
    assert config.end_silence_min_ms * 16 <= quick < first
    for _ in range(20):
        wait.observe(580)
    assert first < wait.required_samples(2000) == config.end_silence_max_ms * 16
    for _ in range(20):
        wait.observe(5000)
    assert wait.required_samples(2000) == config.end_silence_max_ms * 16
    wait.reset()
    assert wait.required_samples(2000) == first


def frames(pattern: str) -> list[Frame]:
    levels = {"#": -20.0, ".": -60.0, "-": -30.0}
    return [
        Frame(i * 320, (i + 1) * 320, Level(levels[c], levels[c]), c != ".")
        for i, c in enumerate(pattern)
    ]


@pytest.mark.parametrize(
    ("pattern", "at"),
    [
        pytest.param("####..####......####", 13 * 320, id="longest pause"),
        pytest.param("#######---##########", 8.5 * 320, id="quietest where there is no pause"),
        pytest.param("####..######---#####", 4.5 * 320, id="a pause too short to count"),
    ],
)
def test_the_place_to_split(pattern, at):
    assert split_point(frames(pattern), 1600) == at
