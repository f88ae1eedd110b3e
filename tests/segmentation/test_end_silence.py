"""How long an utterance waits for its end, by how finished it sounds."""

import pytest

from turbo_stream._util.timebase import ms_to_samples
from turbo_stream.errors import InputError
from turbo_stream.segmentation._end_silence import NEEDED, EndSilence
from turbo_stream.segmentation.config import SegmenterConfig

CONFIG = SegmenterConfig(finished_threshold=0.8, doubt_silence_ms=200)
LONG_MS = 2000


def waits_ms(probability, voiced_ms=LONG_MS, pauses=()):
    silence = EndSilence(CONFIG)
    for pause in pauses:
        silence.observe(pause)
    return silence.required_samples(voiced_ms, probability) / 16


def test_what_sounds_finished_waits_least():
    assert waits_ms(0.8) == waits_ms(0.99) == waits_ms(1.0) == CONFIG.finished_silence_ms


def test_the_less_finished_the_longer_up_to_a_bound():
    waits = [waits_ms(p) for p in (0.8, 0.7, 0.5, 0.3, 0.1, 0.01, 0.0)]
    assert waits == sorted(waits)
    assert waits[1] > waits[0]
    assert waits[-1] == waits[-2] == CONFIG.unfinished_silence_ms


def test_a_factor_of_e_costs_the_same_everywhere():
    # From 0.8 the odds fall fourfold to 0.5, and fourfold again to 0.2.
    assert waits_ms(0.5) - waits_ms(0.8) == pytest.approx(waits_ms(0.2) - waits_ms(0.5), abs=0.2)


def test_where_nobody_can_say_silence_alone_decides():
    assert waits_ms(None) == CONFIG.end_silence_ms


def test_little_speech_waits_longer_whatever_it_sounds_like():
    for probability in (0.9, 0.5, None):
        short = waits_ms(probability, voiced_ms=CONFIG.short_speech_ms - 1)
        assert short == waits_ms(probability) + CONFIG.short_extra_ms
    assert waits_ms(0.0, voiced_ms=100) == CONFIG.unfinished_silence_ms


def test_a_hesitating_speaker_is_given_time_only_in_doubt():
    hesitating = [480.0] * NEEDED
    assert waits_ms(0.5, pauses=hesitating) > waits_ms(0.5)
    assert waits_ms(0.9, pauses=hesitating) == waits_ms(0.9)
    fluent = [120.0] * NEEDED
    assert waits_ms(0.5, pauses=fluent) < waits_ms(0.5)


def test_thresholds_of_0_and_1_are_allowed():
    always = EndSilence(SegmenterConfig(finished_threshold=0.0))
    assert always.required_samples(LONG_MS, 0.0) == ms_to_samples(CONFIG.finished_silence_ms)
    never = EndSilence(SegmenterConfig(finished_threshold=1.0))
    assert never.required_samples(LONG_MS, 0.9) == ms_to_samples(CONFIG.unfinished_silence_ms)


def test_unfinished_speech_never_waits_less_than_the_usual_bound():
    with pytest.raises(InputError, match="end_silence_max_ms=750 must not exceed"):
        SegmenterConfig(unfinished_silence_ms=700)
