"""Sound by the clock: every sample once, never before it was heard, gathered when asked to."""

from time import perf_counter

import numpy as np

from turbo_stream.audio.capture import GATHERED_MS
from turbo_stream.audio.source import GatheringSource, Source
from turbo_stream.benchmark.listen.paced_source import PacedSource

PCM = np.arange(16_000, dtype=np.int16)


def test_every_sample_comes_once_and_not_before_its_time() -> None:
    source = PacedSource(PCM, 32)
    heard = []
    for block in source:
        heard.append(block.pcm)
        seconds = sum(map(len, heard)) / 16_000
        assert perf_counter() - source.started_s >= seconds
    assert (np.concatenate(heard) == PCM).all()
    assert {len(pcm) for pcm in heard[:-1]} == {512} and len(heard) == len(source.lags_s)


def test_it_gathers_when_asked_like_the_microphone() -> None:
    source = PacedSource(PCM, 20)
    assert isinstance(source, Source) and isinstance(source, GatheringSource)
    sizes = []
    for block in source:
        sizes.append(len(block.pcm))
        source.gathering = len(sizes) == 2
    assert sizes[:4] == [320, 320, GATHERED_MS * 16, 320] and sum(sizes) == len(PCM)


def test_a_reader_that_comes_late_is_told_how_late_and_close_ends_it() -> None:
    source = PacedSource(PCM, 32)
    for number, _ in enumerate(source):
        if number == 0:
            started = perf_counter()
            while perf_counter() - started < 0.2:
                pass
        if number == 1:
            source.close()
    assert number == 1
    assert source.lags_s[1] > 0.1
