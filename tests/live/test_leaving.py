"""Whoever leaves the events of a live pipeline, however, leaves no open source and no thread."""

import gc
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from types import SimpleNamespace

import numpy as np
import pytest

from tests.support.fakes import make_pipeline
from turbo_stream import Event, Finished, Listener, LivePipeline, Ready, events_of
from turbo_stream.audio.source import Block, SourceItem


class VirtualMicrophone:
    """Gives a room's noise by the clock until it is closed; says whether it is open."""

    live = True

    def __init__(self) -> None:
        self.open = self.was_opened = False
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[SourceItem]:
        self.open = self.was_opened = True
        try:
            while not self._closed.wait(0.01):
                yield Block(np.zeros(320, np.int16))
        finally:
            self.open = False

    def close(self) -> None:
        self._closed.set()


class ForgetfulMicrophone(VirtualMicrophone):
    """Forgets that it was closed when it is opened, as one that opens a device anew does."""

    def __iter__(self) -> Iterator[SourceItem]:
        self._closed.clear()
        yield from super().__iter__()


class LeftOpen(VirtualMicrophone):
    """Is its own iterator, which ends by `close` alone."""

    def __iter__(self) -> Iterator[SourceItem]:
        self.open = self.was_opened = True
        return self

    def __next__(self) -> SourceItem:
        if self._closed.wait(0.01):
            raise StopIteration
        return Block(np.zeros(320, np.int16))

    def close(self) -> None:
        super().close()
        self.open = False


class _Left(Exception):
    pass


held: list[object] = []
"""What the one that leaves goes on holding."""


def breaks(live: LivePipeline) -> None:
    for _ in live.run():
        break


def breaks_and_holds(live: LivePipeline) -> None:
    held.append(events := live.run())
    for _ in events:
        break


def breaks_later(live: LivePipeline) -> None:
    held.append(events := live.run())
    next(events)
    time.sleep(0.1)
    threading.Timer(0.1, live.close).start()
    for event in events:
        if isinstance(event, Finished):
            break


def fails(live: LivePipeline) -> None:
    events = live.run()
    try:
        for _ in events:
            raise _Left
    except _Left as error:
        held.append(error)  # and with it this frame, and the events


def reads_one_by_filter(live: LivePipeline) -> None:
    held.append(events := live.run())
    assert isinstance(next(filter(None, events)), Ready)


def reads_a_slice(live: LivePipeline) -> None:
    held.append(events := live.run())
    assert len(list(itertools.islice(events, 1))) == 1


def closes(live: LivePipeline) -> None:
    held.append(events := live.run())
    with closing(events):
        assert isinstance(next(events), Ready)
    events.close()
    assert next(events, None) is None


def lets_go(live: LivePipeline) -> None:
    events = live.run()
    next(events)
    del events


def lets_go_of_a_ring(live: LivePipeline) -> None:
    events = live.run()
    next(events)
    ring = SimpleNamespace(events=events)
    ring.itself = ring
    del events, ring
    gc.collect()


def never_reads(live: LivePipeline) -> None:
    held.append(live.run())


WAYS: list[Callable[[LivePipeline], None]] = [
    breaks,
    breaks_and_holds,
    breaks_later,
    fails,
    reads_one_by_filter,
    reads_a_slice,
    closes,
    lets_go,
    lets_go_of_a_ring,
    never_reads,
]


def none_left(before: set[threading.Thread]) -> bool:
    """Wait a little for threads that end by themselves; return whether there are none."""
    deadline = time.monotonic() + 3
    while set(threading.enumerate()) - before and time.monotonic() < deadline:
        time.sleep(0.01)
    return not set(threading.enumerate()) - before


@pytest.fixture
def before() -> Iterator[set[threading.Thread]]:
    yield set(threading.enumerate())
    held.clear()


@pytest.mark.parametrize("leave", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("kind", [VirtualMicrophone, ForgetfulMicrophone, LeftOpen])
def test_leaving_closes_everything(before, kind, leave) -> None:
    microphone = kind()
    leave(LivePipeline(make_pipeline(), microphone))
    assert none_left(before) and not microphone.open
    # What is left at once may not have been opened at all.
    assert microphone.was_opened or leave is not breaks_later


def test_what_was_read_one_by_one_is_not_read_again_by_a_loop(before, kitchen_pcm) -> None:
    from tests.live.test_live_pipeline import ListSource, blocks

    events = LivePipeline(make_pipeline(), ListSource(blocks(kitchen_pcm[:96_000]))).run()
    assert isinstance(next(events), Ready)
    rest = list(events)
    assert not any(isinstance(event, Ready) for event in rest) and isinstance(rest[-1], Finished)
    assert list(events) == [] and none_left(before)


def test_a_second_run_leaves_the_first_one_alone(before) -> None:
    microphone = VirtualMicrophone()
    live = LivePipeline(make_pipeline(), microphone)
    first = live.run()
    next(first)
    with pytest.raises(RuntimeError, match="make another one"):
        next(live.run())
    time.sleep(0.1)
    assert microphone.open
    first.close()
    assert none_left(before) and not microphone.open


def test_a_callback_that_fails_ends_the_listening(before) -> None:
    def fail(event: Event) -> None:
        raise _Left

    microphone = VirtualMicrophone()
    listener = Listener(make_pipeline(), microphone, fail)
    with pytest.raises(_Left):
        listener.wait(10)
    assert none_left(before) and not microphone.open


def test_no_room_for_a_thread_leaves_none(before, monkeypatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "turbo_inference":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    microphone = LeftOpen()
    with pytest.raises(RuntimeError, match="new thread"):
        next(LivePipeline(make_pipeline(), microphone).run())
    monkeypatch.undo()
    assert none_left(before) and not microphone.open


def test_an_outlet_that_fails_closes_the_source(before, kitchen_pcm) -> None:
    class Speaking(LeftOpen):
        def __next__(self) -> SourceItem:
            super().__next__()
            return Block(kitchen_pcm[16_000:48_000])

    ended = threading.Event()

    def put(event: Event) -> None:
        if not isinstance(event, Ready):
            raise OSError("no place")

    microphone = Speaking()
    outlet = SimpleNamespace(put=put, offer=put, end=lambda failure: ended.set())
    LivePipeline(make_pipeline(), microphone).start(outlet)
    assert ended.wait(10) and none_left(before) and not microphone.open


def test_a_source_that_cannot_wait_is_left_in_the_same_way(before) -> None:
    microphone = VirtualMicrophone()
    for _ in events_of(make_pipeline(), microphone):
        break
    assert none_left(before) and not microphone.open
