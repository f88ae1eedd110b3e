"""Digital silence of live sources: told once, at its sample, and ended by the first sound."""

import io

import numpy as np
import pytest

from tests.support.fakes import make_pipeline
from tests.support.streams import untimed
from turbo_stream import Block, Connection, Gap, PushSource, SourceChanged
from turbo_stream.audio._raw import RawSource
from turbo_stream.audio.mute import MuteWatch

SECOND = 16_000
LIMIT = 3 * SECOND


def watched(pcm: np.ndarray, sizes: list[int]) -> list[tuple[int, str]]:
    """Return at which sample what was told; `sizes` are those of the blocks, over and over."""
    watch, told, at, turn = MuteWatch(), [], 0, 0
    heard = []
    while at < len(pcm):
        block = Block(pcm[at : at + sizes[turn % len(sizes)]])
        for item in watch.pass_on(block):
            if isinstance(item, Connection):
                told.append((sum(map(len, heard)), item.state))
            else:
                assert len(item.pcm)
                heard.append(item.pcm)
        at, turn = at + len(block.pcm), turn + 1
    assert np.array_equal(np.concatenate(heard), pcm)
    return told


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 9, round(seconds * SECOND)).astype(np.int16)


def zeros(samples: int) -> np.ndarray:
    return np.zeros(samples, np.int16)


@pytest.mark.parametrize("sizes", [[768], [1], [160, 4096, 7], [10**7], [LIMIT], [LIMIT - 1]])
def test_it_is_a_function_of_the_samples(sizes: list[int]) -> None:
    if sizes == [1]:
        pcm = np.concatenate([noise(0.1), zeros(LIMIT), noise(0.1)])
        expected = [(1600 + LIMIT, "muted"), (1600 + LIMIT, "active")]
    else:
        parts = [zeros(LIMIT - 1), noise(1), zeros(LIMIT), noise(1), zeros(4 * LIMIT), noise(1)]
        pcm = np.concatenate([*parts, zeros(LIMIT + 5)])
        ends = np.cumsum([len(part) for part in parts]).tolist()
        expected = [
            *[(ends[2], "muted"), (ends[2], "active")],
            *[(ends[3] + LIMIT, "muted"), (ends[4], "active"), (ends[5] + LIMIT, "muted")],
        ]
    assert watched(pcm, sizes) == expected


def test_a_whisper_of_one_bit_is_a_sound() -> None:
    pcm = zeros(10 * SECOND)
    pcm[:: LIMIT - 1] = 1
    assert watched(pcm, [768]) == []


def test_a_device_that_comes_back_is_watched_anew() -> None:
    watch = MuteWatch()
    items = [Block(zeros(LIMIT - 10)), Connection("active", "back"), Block(zeros(LIMIT - 1))]
    passed = [
        one for item in [*items, Gap(5, "lost"), Block(zeros(1))] for one in watch.pass_on(item)
    ]
    assert [one.state for one in passed if isinstance(one, Connection)] == ["active", "muted"]


def test_the_reference_is_cut_with_its_block() -> None:
    pcm, reference = zeros(LIMIT + 100), np.arange(LIMIT + 100).astype(np.int16)
    first, told, second = MuteWatch().pass_on(Block(pcm, reference))
    assert told.state == "muted" and len(first.pcm) == LIMIT == len(first.reference)
    assert np.array_equal(second.reference, reference[LIMIT:])


def states(items) -> list[str]:
    return [item.state for item in items if isinstance(item, Connection | SourceChanged)]


def test_which_sources_are_watched() -> None:
    pcm = np.concatenate([zeros(LIMIT), noise(0.1)])
    pushed = PushSource(30)
    pushed.push(pcm)
    pushed.end()
    assert states(pushed) == ["muted", "active"]
    assert states(RawSource(io.BytesIO(pcm.tobytes()), live=True)) == ["muted", "active"]
    assert states(RawSource(io.BytesIO(pcm.tobytes()))) == [], "a file may be silent"


def test_decisions_stay_what_they_are(excerpt: np.ndarray) -> None:
    pcm = np.concatenate([excerpt, zeros(5 * SECOND), excerpt])
    pipeline = make_pipeline(partials=False)
    expected = untimed(pipeline.process(pcm) + pipeline.flush())
    source = PushSource(60)
    source.push(pcm)
    source.end()
    heard = list(make_pipeline(partials=False).run(source))
    assert states(heard) == ["muted", "active"]
    told = [event for event in untimed(heard[1:-1]) if not isinstance(event, SourceChanged)]
    assert told == expected
