import math

import pytest

from turbo_stream._util.timebase import to_samples
from turbo_stream.errors import InputError
from turbo_stream.recognition.window import WindowConfig


@pytest.mark.parametrize("value", [-0.1, 30.1, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["floor", "margin"])
def test_what_is_no_window_is_refused_in_one_line(name: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"`{name}_s` of the window is {value:g},") as e:
        WindowConfig(**{f"{name}_s": value})
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("floor_s", "margin_s", "sound_s", "window_s"),
    [
        (10.0, 2.0, 1.0, 10.0),
        (10.0, 2.0, 8.5, 10.5),
        (10.0, 2.0, 29.0, 30.0),
        (0.0, 0.0, 0.0, 0.02),
        (0.0, 0.0, 1.001, 1.02),
        (30.0, 30.0, 1.0, 30.0),
    ],
)
def test_window_of_a_sound(
    floor_s: float, margin_s: float, sound_s: float, window_s: float
) -> None:
    config = WindowConfig(floor_s, margin_s)
    assert config.samples(to_samples(sound_s), to_samples(30.0)) == to_samples(window_s)


@pytest.mark.parametrize(
    ("floor_s", "sound_s", "windows_s"),
    [
        (10.0, 1.0, (10.0, 15.0, 30.0)),
        (10.0, 15.0, (19.0, 28.5, 30.0)),
        (24.0, 1.0, (24.0, 30.0)),
        (30.0, 1.0, (30.0,)),
    ],
)
def test_further_readings_are_longer_up_to_the_whole_window(
    floor_s: float, sound_s: float, windows_s: tuple[float, ...]
) -> None:
    readings = WindowConfig(floor_s).readings(to_samples(sound_s), to_samples(30.0))
    assert readings == tuple(map(to_samples, windows_s))
