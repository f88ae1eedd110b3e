"""How long an utterance waits for its end, by how finished it sounds."""

import pytest

from turbo_stream._util.timebase import ms_to_samples
from turbo_stream.errors import InputError
from turbo_stream.segmentation._end_silence import NEEDED, EndSilence
from turbo_stream.segmentation.config import SegmenterConfig

CONFIG = SegmenterConfig(finished_threshold=0.7)
LONG_MS = 2000


def waits_ms(probability, voiced_ms=LONG_MS, pauses=(), config=CONFIG):
    silence = EndSilence(config)
    for pause in pauses:
        silence.observe(pause)
    return silence.required_samples(voiced_ms, probability) / 16


def test_what_surely_sounds_finished_waits_least():
    assert waits_ms(0.86) == waits_ms(0.99) == waits_ms(1.0) == CONFIG.finished_silence_ms


def test_the_less_finished_the_longer_up_to_a_bound():
    waits = [waits_ms(p) for p in (0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.25, 0.1, 0.0)]
    assert waits == sorted(waits)
    assert waits[0] < waits[1] < waits[2] < waits[3] < waits[4] < waits[5]
    assert waits[3] == CONFIG.likely_silence_ms
    assert waits[-1] == waits[-2] == waits[-3] == CONFIG.unfinished_silence_ms


def test_a_factor_of_e_saves_the_same_everywhere():
    # The odds grow by a quarter each time, from four fifths of those of 0.7.
    at = [odds / (1 + odds) for odds in (28 / 15, 7 / 3, 35 / 12)]
    waits = [waits_ms(p) for p in at]
    assert waits[0] - waits[1] == pytest.approx(waits[1] - waits[2], abs=0.2)
    assert waits[0] - waits[1] == pytest.approx(CONFIG.doubt_silence_ms * 0.2231, abs=0.2)


def test_where_nobody_can_say_silence_alone_decides():
    assert waits_ms(None) == CONFIG.end_silence_ms


def test_little_speech_waits_longer_whatever_it_sounds_like():
    for probability in (0.95, 0.75, None):
        short = waits_ms(probability, voiced_ms=CONFIG.short_speech_ms - 1)
        assert short == waits_ms(probability) + CONFIG.short_extra_ms
    assert waits_ms(0.0, voiced_ms=100) == CONFIG.unfinished_silence_ms


def test_the_pauses_of_the_speaker_count_where_nobody_can_say():
    hesitating, fluent = [480.0] * NEEDED, [120.0] * NEEDED
    assert waits_ms(None, pauses=hesitating) > waits_ms(None) > waits_ms(None, pauses=fluent)
    assert waits_ms(0.8, pauses=hesitating) == waits_ms(0.8)


def test_thresholds_of_0_and_1_are_allowed():
    always = SegmenterConfig(finished_threshold=0.0)
    assert waits_ms(0.5, config=always) == always.finished_silence_ms
    never = EndSilence(SegmenterConfig(finished_threshold=1.0))
    assert never.required_samples(LONG_MS, 0.9) == ms_to_samples(CONFIG.unfinished_silence_ms)


def test_the_longest_silence_is_not_shorter_than_the_shortest():
    with pytest.raises(InputError, match="likely_silence_ms=540 must not exceed"):
        SegmenterConfig(unfinished_silence_ms=200)
