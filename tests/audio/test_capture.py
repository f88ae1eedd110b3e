import pytest

from turbo_stream.audio.capture import frames_lost


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
