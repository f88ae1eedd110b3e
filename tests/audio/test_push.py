"""Sound brought from outside: nothing waits, nothing is lost silently, nothing after the end."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.fakes import make_pipeline
from turbo_stream.audio.push import PushSource
from turbo_stream.audio.source import Block, Gap, Source
from turbo_stream.errors import InputError
from turbo_stream.events import Finished, Utterance
from turbo_stream.live.live_pipeline import LivePipeline


def sound(samples: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + samples).astype(np.int16)


def test_what_is_pushed_comes_out_until_the_end() -> None:
    source = PushSource()
    assert isinstance(source, Source) and source.live
    source.push(sound(100), reference=sound(100, 7))
    source.push(sound(0))
    source.push(sound(50, 100))
    source.end()
    source.push(sound(10))
    first, second = source
    assert isinstance(first, Block) and first.reference is not None
    np.testing.assert_array_equal(np.concatenate((first.pcm, second.pcm)), sound(150))


@given(st.lists(st.integers(1, 900), max_size=30), st.integers(0, 5))
def test_every_sample_is_heard_or_told_as_lost(sizes: list[int], reads: int) -> None:
    source, given_samples, heard, lost = PushSource(0.1), 0, [], 0
    items = iter(source)
    for turn, size in enumerate(sizes):
        source.push(sound(size, given_samples))
        given_samples += size
        assert 0 <= source.room <= 1600
        if turn < reads:
            heard.append(next(items))
    source.end()
    heard += items
    at = 0
    for item in heard:
        if isinstance(item, Gap):
            at += item.lost_samples
            lost += 1
        else:
            np.testing.assert_array_equal(item.pcm, sound(len(item.pcm), at))
            at += len(item.pcm)
    assert at == given_samples


def test_losses_next_to_each_other_are_one() -> None:
    source = PushSource()
    source.lose(10, "the client dropped frames")
    source.lose(5, "the client dropped frames")
    source.lose(0, "nothing")
    source.lose(3, "another")
    source.end()
    assert list(source) == [Gap(15, "the client dropped frames"), Gap(3, "another")]


def test_a_reader_that_waits_is_woken_by_the_end() -> None:
    source, seen = PushSource(), []
    reader = threading.Thread(target=lambda: seen.append(list(source)))
    reader.start()
    source.close()
    reader.join(5)
    assert seen == [[]]


@pytest.mark.parametrize("wrong", [np.zeros(4, np.float32), np.zeros((2, 2), np.int16)])
def test_other_samples_are_refused(wrong: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"give int16 of shape \[N\]"):
        PushSource().push(wrong)
    with pytest.raises(InputError, match="0.1 s or more"):
        PushSource(0.0)


def test_a_live_pipeline_hears_it(kitchen_pcm: np.ndarray) -> None:
    source = PushSource(60.0)
    for start in range(0, 8 * 16_000, 1600):
        source.push(kitchen_pcm[start : start + 1600])
    source.end()
    events = list(LivePipeline(make_pipeline(), source).run())
    assert isinstance(events[-1], Finished) and events[-1].audio_s == 8.0
    assert any(isinstance(event, Utterance) for event in events)
