import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_stream.audio._ring import LOSSES, Ring
from turbo_stream.audio.capture import frames_lost


def drain(ring: Ring) -> list[int]:
    """All samples and, as negative numbers, losses waiting in the ring."""
    items: list[int] = []
    while True:
        lost, frames = ring.read()
        if lost:
            items.append(-lost)
        items.extend(frames[:, 0].tolist())
        if not lost and not len(frames):
            return items


steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 20), st.sampled_from([0, 0, 0, 7])),
        st.tuples(st.just("read"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@given(steps=steps, capacity=st.integers(1, 33))
@settings(deadline=None)
def test_every_frame_is_read_in_order_or_counted_where_it_is_missing(steps, capacity):
    ring, position, timeline, waiting = Ring(capacity, 2), 0, [], 0
    expected = []
    for kind, count, lost in steps:
        if kind == "read":
            timeline += drain(ring)
            waiting = 0
            continue
        expected += [None] * lost
        if count > capacity - waiting:
            expected += [None] * count
        else:
            expected += range(position + 1, position + count + 1)
            waiting += count
        frames = np.arange(position + 1, position + count + 1, dtype=np.int16)
        ring.write(np.stack([frames, -frames], axis=1).tobytes(), lost)
        position += count
    timeline += drain(ring)
    heard = []
    for item in timeline:
        heard += [None] * -item if item < 0 else [item]
    # A loss after the last sample that fitted is told with the next one.
    tail = expected[len(heard) :]
    assert heard == expected[: len(heard)] and all(item is None for item in tail)


def test_many_losses_are_added_up_rather_than_forgotten():
    ring, writes = Ring(4 * LOSSES, 1), 3 * LOSSES
    for _ in range(writes):
        ring.write(b"\1\0", 5)
    ring.read()
    items = drain(ring)
    ring.write(b"\1\0")
    items += drain(ring)
    assert -sum(item for item in items if item < 0) == 5 * (writes - 1)


def test_writer_and_reader_on_two_threads():
    ring, total = Ring(700, 1), 200_000
    numbers = (np.arange(total) % 30_000 + 1).astype(np.int16)

    def write():
        for start in range(0, total, 160):
            ring.write(memoryview(numbers[start : start + 160]).cast("B"))

    writer = threading.Thread(target=write)
    writer.start()
    items: list[int] = []
    while writer.is_alive():
        items += drain(ring)
    items += drain(ring)
    at = 0
    for item in items:
        if item < 0:
            at -= item
        else:
            assert item == numbers[at]
            at += 1


def test_writing_allocates_nothing():
    import tracemalloc

    ring, frames = Ring(3200, 1), memoryview(bytes(640))
    ring.write(frames)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(500):
        ring.write(frames)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 1000


@pytest.mark.parametrize("capacity", [320, 321, 1000])
def test_the_seam_is_invisible(capacity):
    ring, items = Ring(capacity, 1), []
    for start in range(0, 3200, 160):
        ring.write(np.arange(start, start + 160, dtype=np.int16).tobytes())
        items += drain(ring)
    assert items == list(range(3200))


@pytest.mark.parametrize(
    ("end_s", "begin_s", "expected"),
    [
        (100.0, 100.5, 8000),
        (100.0, 100.0, 0),
        (100.0, 99.99, 0),
        (0.02, 0.0, 320),
        (0.0, 7.0, 320),
    ],
)
def test_an_overflow_lasts_as_long_as_the_clock_says(end_s, begin_s, expected):
    assert frames_lost(end_s, begin_s, frames=320, rate=16_000) == expected
