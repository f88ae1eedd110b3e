"""One client's stream in an event loop: nothing lost silently, nothing waited for that is over."""

import asyncio
import threading

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.served import shared_models
from tests.support.threads import turbo_threads
from turbo_stream import Finished, GapReported, InputError, Partial, Ready, Utterance
from turbo_stream.serving import session as session_module
from turbo_stream.serving.session import Session


async def heard(session: Session, pcm: np.ndarray, frame: int = 1600) -> list:
    async def send() -> None:
        for start in range(0, len(pcm), frame):
            await session.push(pcm[start : start + frame])
        session.end()

    sending = asyncio.create_task(send())
    events = [event async for event in session]
    await sending
    return [event for event in events if not isinstance(event, Partial)]


@pytest.mark.parametrize("frame", [320, 40_000])
def test_the_events_are_those_of_the_core(excerpt: np.ndarray, frame: int) -> None:
    async def live() -> list:
        async with Session(shared_models().stream()) as session:
            return await heard(session, excerpt, frame)

    events = asyncio.run(live())
    pipeline = shared_models().stream()
    expected = pipeline.process(excerpt) + pipeline.flush()
    assert isinstance(events[0], Ready) and isinstance(events[-1], Finished)
    assert events[-1].audio_s == 12.0 and events[-1].real_time_factor is None
    decisions = [(e.id, e.start_s, e.end_s, e.decision) for e in events if isinstance(e, Utterance)]
    assert decisions == [
        (e.id, e.start_s, e.end_s, e.decision) for e in expected if isinstance(e, Utterance)
    ]
    assert not any(e.degraded for e in events if isinstance(e, Utterance)), "sent too fast"


@pytest.mark.slow
def test_who_sends_ahead_of_the_clock_waits_for_the_decisions(kitchen_pcm: np.ndarray) -> None:
    """A whole recording at once, with a recognizer that takes its time, loses nothing."""

    class Slow(ScriptedRecognizer):
        def transcribe(self, pcm):
            threading.Event().wait(0.15)
            return super().transcribe(pcm)

    async def live() -> list:
        async with Session(shared_models(Slow()).stream()) as session:
            return await heard(session, kitchen_pcm[: 40 * 16_000], 40 * 16_000)

    decisions = [e for e in asyncio.run(live()) if isinstance(e, Utterance)]
    assert len(decisions) > 8
    assert not [e for e in decisions if e.degraded or e.reason == "overload"]


def test_a_client_that_does_not_read_loses_sound_and_is_told(excerpt, monkeypatch) -> None:
    monkeypatch.setattr(session_module, "UNREAD_EVENTS", 1)
    monkeypatch.setattr(session_module, "BUFFER_S", 1.0)
    monkeypatch.setattr(session_module, "_AHEAD_S", 100.0)  # as if sent by the clock

    async def live() -> tuple[list, float]:
        async with Session(shared_models().stream()) as session:
            for start in range(0, len(excerpt), 1600):
                await session.push(excerpt[start : start + 1600])
            session.end()
            return [event async for event in session], session.sent_s

    events, sent_s = asyncio.run(live())
    gaps = [event for event in events if isinstance(event, GapReported)]
    finished = events[-1]
    assert gaps and isinstance(finished, Finished)
    assert finished.lost_samples == sum(gap.lost_samples for gap in gaps) > 0
    assert finished.audio_s + finished.lost_samples / 16_000 == pytest.approx(sent_s)


def test_closing_ends_the_threads_and_the_others_go_on(excerpt: np.ndarray) -> None:
    release = threading.Event()

    async def live() -> list:
        stuck = shared_models(ScriptedRecognizer(release=release))
        async with Session(shared_models().stream()) as other:
            async with Session(stuck.stream()) as session:
                await session.push(excerpt[: 4 * 16_000])
                release.set()
            assert session.ended
            return await heard(other, excerpt)

    before = set(threading.enumerate())
    events = asyncio.run(live())
    assert sum(isinstance(event, Utterance) for event in events) == 3
    assert not turbo_threads(besides=before)


def test_what_was_heard_is_decided_when_the_client_ends_in_mid_word(excerpt: np.ndarray) -> None:
    async def live() -> list:
        async with Session(shared_models().stream()) as session:
            return await heard(session, excerpt[: 2 * 16_000])

    assert [e.id for e in asyncio.run(live()) if isinstance(e, Utterance)] == [0]


def test_the_threshold_may_change_on_the_way(excerpt: np.ndarray) -> None:
    async def live() -> list[float]:
        shared = shared_models(detector=LoudnessDetector(always=0.6))
        async with Session(shared.stream(threshold=0.5)) as session:
            await session.push(excerpt[: 4 * 16_000])
            seen = []
            async for event in session:
                if isinstance(event, Utterance):
                    seen.append((event.decision, event.threshold))
                    if len(seen) == 1:
                        session.pipeline.threshold = 0.7
                        await session.push(excerpt[4 * 16_000 :])
                        session.end()
            with pytest.raises(InputError, match="0 to 1"):
                session.pipeline.threshold = 1.5
        assert shared.stream().threshold == 0.5, "that of the others"
        return seen

    first, *others = asyncio.run(live())
    assert first == ("accepted", 0.5)
    assert others and set(others) == {("rejected", 0.7)}


def test_wrong_samples_are_refused() -> None:
    async def live() -> None:
        async with Session(shared_models().stream()) as session:
            with pytest.raises(InputError, match="give int16"):
                await session.push(np.zeros(10, np.float32))

    asyncio.run(live())


def test_closed_means_that_its_threads_have_ended(excerpt, monkeypatch) -> None:
    """Also where the thread that tells the end is slow to end itself, as on a busy machine."""
    end = session_module._LoopOutlet.end

    def lingers(outlet, failure) -> None:
        end(outlet, failure)
        threading.Event().wait(0.3)

    monkeypatch.setattr(session_module._LoopOutlet, "end", lingers)
    before = threading.enumerate()

    async def live() -> list[str]:
        async with Session(shared_models().stream()) as session:
            await heard(session, excerpt[:32_000])
        return turbo_threads(besides=before)

    assert asyncio.run(live()) == []
