"""The live shell: capture is never blocked, order is kept, and what is given up is said."""

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer, make_pipeline
from tests.support.streams import untimed
from turbo_stream import (
    Event,
    Finished,
    GapReported,
    LiveConfig,
    LivePipeline,
    Partial,
    Ready,
    SourceChanged,
    SpeechStarted,
    Utterance,
)
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio.source import Block, Connection, Gap, SourceItem


class ListSource:
    """A live source that hands out items as fast as they are taken."""

    live = True

    def __init__(self, items: list[SourceItem | Exception | Callable[[], None]]) -> None:
        self._items = items
        self.taken = threading.Event()
        self.closed = False

    def __iter__(self) -> Iterator[SourceItem]:
        for item in self._items:
            if self.closed:
                return
            if isinstance(item, Exception):
                raise item
            if callable(item):
                item()
            else:
                yield item
        self.taken.set()

    def close(self) -> None:
        self.closed = True


def blocks(pcm: np.ndarray) -> list[SourceItem]:
    return [Block(pcm[i : i + 320]) for i in range(0, len(pcm), 320)]


def utterances(events: list[Event]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


def test_live_and_synchronous_say_the_same(kitchen_pcm: np.ndarray) -> None:
    config = LiveConfig(max_waiting=1000, skip_asr_from=1000)
    live = list(LivePipeline(make_pipeline(), ListSource(blocks(kitchen_pcm)), config).run())
    core = list(make_pipeline().run(blocks(kitchen_pcm)))
    assert isinstance(live[0], Ready) and isinstance(live[-1], Finished)
    key = [(u.id, u.start_s, u.end_s, u.decision, u.text) for u in utterances(core)]
    assert [(u.id, u.start_s, u.end_s, u.decision, u.text) for u in utterances(live)] == key
    starts = [e.id for e in live if isinstance(e, SpeechStarted)]
    assert starts == [u.id for u in utterances(live)]
    assert live[-1].audio_s == len(kitchen_pcm) / SAMPLE_RATE


def paced(pcm: np.ndarray) -> list[SourceItem | Callable[[], None]]:
    """Blocks ten times as fast as they would come: time for work ahead of the ends."""
    items: list[SourceItem | Callable[[], None]] = []
    for block in blocks(pcm):
        items += [block, lambda: time.sleep(0.002)]
    return items


@pytest.mark.slow
def test_what_was_made_ahead_is_used_and_changes_no_event(kitchen_pcm: np.ndarray) -> None:
    pcm = kitchen_pcm[: 20 * SAMPLE_RATE]
    recognizer = ScriptedRecognizer()
    config = LiveConfig(speculation_share=1.0)
    live = list(
        LivePipeline(
            make_pipeline(recognizer, partials=False), ListSource(paced(pcm)), config
        ).run()
    )
    core = list(make_pipeline().run(blocks(pcm)))
    assert untimed(utterances(live)) == untimed(utterances(core))
    accounts = live[-1].speculation
    # The last utterance is cut off by the end of the stream, in the midst of speech.
    assert accounts["used"] == len(utterances(live)) - 1 >= 4
    assert accounts["started"] >= accounts["used"] and accounts["declined"] == 0
    assert len(utterances(live)) <= recognizer.calls <= accounts["started"] + 1
    assert core[-1].speculation is None and "speculation" not in core[-1].to_json()


def test_without_speculation_nothing_is_made_ahead(kitchen_pcm: np.ndarray) -> None:
    pcm = kitchen_pcm[: 8 * SAMPLE_RATE]
    recognizer = ScriptedRecognizer()
    config = LiveConfig(speculate=False)
    live = list(
        LivePipeline(
            make_pipeline(recognizer, partials=False), ListSource(paced(pcm)), config
        ).run()
    )
    assert live[-1].speculation is None
    assert recognizer.calls == len(utterances(live))


@pytest.mark.slow
@pytest.mark.parametrize("show_rejected", [True, False])
def test_partial_texts_come_between_start_and_end_of_theirs(kitchen_pcm, show_rejected) -> None:
    pipeline = make_pipeline(show_rejected=show_rejected)
    source = ListSource(paced(kitchen_pcm[: 20 * SAMPLE_RATE]))
    open_id, partials = None, 0
    for event in LivePipeline(pipeline, source).run():
        if isinstance(event, SpeechStarted):
            open_id = event.id
        elif isinstance(event, Partial):
            partials += 1
            assert event.id == open_id and event.text == "turn on the lights"
            assert 0 <= event.stable <= len(event.text)
        elif isinstance(event, Utterance):
            open_id = None
    # Nobody can say by the sound alone whom it was for: so no text but where all are shown.
    assert (partials > 0) == show_rejected


class GatheringList(ListSource):
    """Notes at each item what the reader wanted by then."""

    gathering = False

    def __iter__(self) -> Iterator[SourceItem]:
        self.wanted = []
        for item in super().__iter__():
            yield item
            self.wanted.append(self.gathering)


def test_sound_may_be_gathered_in_silence_and_at_no_other_time(kitchen_pcm) -> None:
    """What a source gathers comes late, which nobody notices before the first word."""
    source = GatheringList(blocks(kitchen_pcm))
    events = list(LivePipeline(make_pipeline(), source).run())
    gathered = np.array(source.wanted)
    spoken = np.zeros(len(gathered), bool)
    for utterance in utterances(events):
        spoken[int(utterance.start_s * 50) + 10 : int(utterance.end_s * 50) + 10] = True
    assert not gathered[spoken].any()
    assert gathered[:40].all()
    assert gathered[~spoken].mean() > 0.3


def test_nothing_is_gathered_while_paused(kitchen_pcm) -> None:
    """It would be heard after the pause."""
    items = blocks(kitchen_pcm[:16_000])
    source = GatheringList([])
    live = LivePipeline(make_pipeline(), source)
    source._items = [*items[:10], live.pause, *items[10:20], live.resume, *items[20:]]
    list(live.run())
    assert source.wanted == [True] * 10 + [False] * 10 + [True] * 30


def test_6_overload_shortens_the_work_and_says_what_was_dropped(kitchen_pcm) -> None:
    """Nothing is recognized until the whole scene has been captured: it must not wait for that."""
    release = threading.Event()
    recognizer = ScriptedRecognizer(release=release)
    source = ListSource([*blocks(kitchen_pcm), release.set])
    live = LivePipeline(
        make_pipeline(recognizer, LoudnessDetector(always=0.9)),
        source,
        LiveConfig(max_waiting=4, skip_asr_from=2, asr_deadline_s=30),
    )
    events = list(live.run())
    assert source.taken.is_set()
    decided = utterances(events)
    assert len(decided) == 15 and [u.id for u in decided] == list(range(15))
    # The first was already being recognized; of the others the newest four had room to wait.
    assert [u.reason for u in decided] == [None] + ["overload"] * 10 + [None] * 4
    assert decided[11].degraded == decided[12].degraded == ("asr_skipped",)
    assert decided[13].degraded == () and decided[14].degraded == ()
    assert events[-1].dropped == 10 and events[-1].accepted == 5


@pytest.mark.slow
def test_8_text_that_comes_late_is_not_waited_for(kitchen_pcm: np.ndarray) -> None:
    recognizer = ScriptedRecognizer(release=threading.Event())
    config = LiveConfig(max_waiting=1000, skip_asr_from=1000, asr_deadline_s=0.2)
    pipeline = make_pipeline(recognizer, LoudnessDetector(always=0.9))
    started = time.perf_counter()
    events = list(LivePipeline(pipeline, ListSource(blocks(kitchen_pcm)), config).run())
    assert {u.degraded for u in utterances(events)} == {("asr_late",)}
    assert {u.decision for u in utterances(events)} == {"accepted"}
    assert recognizer.calls == 1, "a recognizer that hangs is not asked again"
    assert time.perf_counter() - started < 20


def test_a_source_that_vanishes_drops_the_open_utterance(kitchen_pcm: np.ndarray) -> None:
    mid_speech = kitchen_pcm[: 2 * SAMPLE_RATE]
    items = [
        *blocks(mid_speech),
        Connection("reconnecting", "unplugged"),
        Gap(SAMPLE_RATE, "device lost"),
        Connection("active", "back"),
        *blocks(kitchen_pcm[3 * SAMPLE_RATE : 9 * SAMPLE_RATE]),
    ]
    events = list(LivePipeline(make_pipeline(), ListSource(items)).run())
    first, second = utterances(events)
    assert (first.decision, first.reason, first.text) == ("dropped", "source_lost", None)
    assert second.start_s == pytest.approx(4.475, abs=0.3), "times after the gap stay right"
    assert [e.state for e in events if isinstance(e, SourceChanged)] == ["reconnecting", "active"]
    gap = next(e for e in events if isinstance(e, GapReported))
    assert (gap.time_s, gap.lost_samples) == (2.0, SAMPLE_RATE)


def test_a_source_that_fails_is_told_after_what_was_heard(kitchen_pcm: np.ndarray) -> None:
    source = ListSource([*blocks(kitchen_pcm[: 4 * SAMPLE_RATE]), OSError("cable cut")])
    seen: list[Event] = []
    with pytest.raises(OSError, match="cable cut"):
        for event in LivePipeline(make_pipeline(), source).run():
            seen.append(event)
    assert len(utterances(seen)) == 1


def test_a_caller_that_stops_reading_leaves_no_thread_behind(kitchen_pcm: np.ndarray) -> None:
    before = threading.active_count()
    live = LivePipeline(
        make_pipeline(), ListSource(blocks(kitchen_pcm)), LiveConfig(max_unread_events=2)
    )
    run = live.run()
    next(run)
    next(run)
    run.close()
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


def test_while_paused_nothing_is_heard(kitchen_pcm: np.ndarray) -> None:
    """Paused in mid-speech of the first utterance, resumed before the fourth."""
    items: list = [
        *blocks(kitchen_pcm[: 2 * SAMPLE_RATE]),
        lambda: live.pause(),
        *blocks(kitchen_pcm[2 * SAMPLE_RATE : 12 * SAMPLE_RATE]),
        lambda: live.resume(),
        *blocks(kitchen_pcm[12 * SAMPLE_RATE : 16 * SAMPLE_RATE]),
    ]
    live = LivePipeline(make_pipeline(), ListSource(items))
    events = list(live.run())
    first, fourth = utterances(events)
    assert first.start_s == pytest.approx(1.2, abs=0.3) and first.end_s <= 2.0
    assert fourth.start_s == pytest.approx(13.025, abs=0.3)
    assert events[-1].audio_s == 16.0


class Told:
    """An outlet that remembers, and may fail at one kind of event."""

    def __init__(self, fails_at: type | None = None) -> None:
        self.events: list[Event] = []
        self.after_the_end: list[Event] = []
        self.ended = threading.Event()
        self.failure: BaseException | None = None
        self.fails_at = fails_at

    def put(self, event: Event) -> None:
        if self.fails_at is not None and isinstance(event, self.fails_at):
            raise OSError("no place")
        (self.after_the_end if self.ended.is_set() else self.events).append(event)

    offer = put

    def end(self, failure: BaseException | None) -> None:
        self.failure = failure
        self.ended.set()


def test_after_a_failure_nothing_more_is_told(kitchen_pcm: np.ndarray) -> None:
    pipeline, told = make_pipeline(), Told(fails_at=Utterance)
    source = ListSource(paced(kitchen_pcm[: 12 * SAMPLE_RATE]))
    live = LivePipeline(pipeline, source)
    live.start(told)
    assert told.ended.wait(30) and isinstance(told.failure, OSError) and source.closed
    live.join()
    assert not told.after_the_end and not any(isinstance(e, Finished) for e in told.events)


def test_an_outlet_that_fails_at_the_last_event_is_told_the_end(kitchen_pcm: np.ndarray) -> None:
    told = Told(fails_at=Finished)
    live = LivePipeline(make_pipeline(), ListSource(blocks(kitchen_pcm[:SAMPLE_RATE])))
    live.start(told)
    assert told.ended.wait(30) and isinstance(told.failure, OSError)


def test_a_source_is_heard_once(kitchen_pcm: np.ndarray) -> None:
    live = LivePipeline(make_pipeline(), ListSource(blocks(kitchen_pcm[:SAMPLE_RATE])))
    assert list(live.run())
    with pytest.raises(RuntimeError, match="make another one"):
        next(iter(live.run()))


@pytest.mark.parametrize("end_s", [2.0, 4.2])
def test_speech_that_the_end_cut_off_is_marked_live_as_in_a_file(kitchen_pcm, end_s) -> None:
    sound = blocks(kitchen_pcm[: int(end_s * SAMPLE_RATE)])
    live = utterances(list(LivePipeline(make_pipeline(), ListSource(sound)).run()))
    core = utterances(list(make_pipeline().run(sound)))
    assert [u.degraded for u in core] == [("cut_off",) if end_s == 2.0 else ()]
    assert untimed(live) == untimed(core)


def test_a_pause_in_mid_speech_cuts_off(kitchen_pcm) -> None:
    pipeline = make_pipeline()
    pipeline.process(kitchen_pcm[: 2 * SAMPLE_RATE])
    (paused,) = utterances(pipeline.pause())
    assert paused.degraded == ("cut_off",)
