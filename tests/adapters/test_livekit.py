"""In a real session of LiveKit's agents, without a room: what the adapter says, and what not."""

import asyncio
import importlib
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("livekit.agents", reason="needs the extra `livekit`")

from livekit.agents import Agent, AgentSession, ChatContext, ChatMessage
from livekit.agents.stt import SpeechEvent, SpeechEventType
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from livekit.rtc import AudioFrame

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.paths import ROOT
from tests.support.served import shared_models
from tests.support.threads import turbo_threads
from turbo_stream import Models, Pipeline, Settings, Transcript, Utterance
from turbo_stream.adapters.livekit import TurboSTT

SECOND = 16_000
TURN = [
    SpeechEventType.START_OF_SPEECH,
    SpeechEventType.FINAL_TRANSCRIPT,
    SpeechEventType.END_OF_SPEECH,
]


@pytest.fixture(scope="module")
def models() -> Models:
    """The shipped model, with the small Whisper of the tests."""
    whisper = ROOT / "tests" / "assets" / "whisper-kitchen"
    return Models.load(Settings(asr=str(whisper), turn_model="none", vad="webrtc"))


def frames(pcm: np.ndarray) -> list[AudioFrame]:
    return [
        AudioFrame(pcm[at : at + 320].tobytes(), SECOND, 1, len(pcm[at : at + 320]))
        for at in range(0, len(pcm), 320)
    ]


async def events_of(stt: TurboSTT, pcm: np.ndarray) -> list[SpeechEvent]:
    async with stt.stream() as stream:
        for frame in frames(pcm):
            stream.push_frame(frame)
        stream.end_input()
        return [event async for event in stream]


class Microphone(AudioInput):
    """Gives what it is handed, and nothing until then."""

    def __init__(self) -> None:
        super().__init__(label="microphone")
        self.queue: asyncio.Queue[AudioFrame] = asyncio.Queue()

    def hear(self, pcm: np.ndarray) -> None:
        for frame in frames(pcm):
            self.queue.put_nowait(frame)

    async def __anext__(self) -> AudioFrame:
        return await self.queue.get()


class Loudspeaker(AudioOutput):
    """Plays for as long as nobody interrupts it, or until `end`."""

    def __init__(self) -> None:
        super().__init__(label="loudspeaker", capabilities=AudioOutputCapabilities(pause=False))
        self.playing = asyncio.Event()

    async def capture_frame(self, frame: AudioFrame) -> None:
        await super().capture_frame(frame)
        if not self.playing.is_set():
            self.on_playback_started(created_at=0.0)
        self.playing.set()

    def flush(self) -> None:
        super().flush()

    def clear_buffer(self) -> None:
        self.end(interrupted=True)

    def end(self, *, interrupted: bool = False) -> None:
        if self.playing.is_set():
            self.on_playback_finished(playback_position=0.1, interrupted=interrupted)
            self.playing.clear()


@dataclass
class Held(ScriptedRecognizer):
    """Says when it has begun."""

    begun: threading.Event = field(default_factory=threading.Event)

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        self.begun.set()
        return super().transcribe(pcm)


class Asked(Agent):
    """Notes what its LLM would be asked."""

    def __init__(self) -> None:
        super().__init__(instructions="")
        self.asked: list[str] = []
        self.was_asked = asyncio.Event()

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        self.asked.append(new_message.text_content or "")
        self.was_asked.set()


def decided_once(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Return what is set when speech was decided, whatever the decision."""
    decided, loop = asyncio.Event(), asyncio.get_running_loop()
    decide = Pipeline.decide

    def noted(*arguments, **choices) -> Utterance:
        utterance = decide(*arguments, **choices)
        loop.call_soon_threadsafe(decided.set)
        return utterance

    monkeypatch.setattr(Pipeline, "decide", noted)
    return decided


async def silence() -> AsyncIterator[AudioFrame]:
    yield AudioFrame(bytes(3200), SECOND, 1, 1600)


@pytest.mark.slow
def test_a_mixed_scene_is_its_accepted_turns_alone(models, excerpt) -> None:
    with_rejected = models.stream(show_rejected=True)
    events = with_rejected.process(excerpt) + with_rejected.flush()
    spoken = {e.decision: e.text for e in events if isinstance(e, Utterance)}
    told = asyncio.run(events_of(TurboSTT(models, show_rejected=True), excerpt))

    assert [event.type for event in told] == TURN
    assert told[1].alternatives[0].text == spoken["accepted"]
    assert told[1].alternatives[0].metadata["directed_probability"] > 0.5
    words = {word.strip(".,?!").lower() for word in spoken["rejected"].split() if len(word) > 3}
    assert len(words) > 3 and not [word for word in words if word in str(told).lower()]
    assert turbo_threads() == []


def test_others_do_not_interrupt_the_agent_and_its_user_does(
    monkeypatch: pytest.MonkeyPatch, models, kitchen_pcm
) -> None:
    async def converse() -> tuple[bool, bool, list[str], list[str]]:
        agent, microphone, loudspeaker = Asked(), Microphone(), Loudspeaker()
        rejected = decided_once(monkeypatch)
        session = AgentSession(
            stt=TurboSTT(models),
            vad=None,
            turn_handling={"turn_detection": "stt"},
            aec_warmup_duration=None,
        )
        states: list[str] = []
        session.on("user_state_changed", lambda event: states.append(event.new_state))
        session.input.audio, session.output.audio = microphone, loudspeaker
        await session.start(agent, record=False)
        speech = session.say("It is five, and I have more to tell.", audio=silence())
        async with asyncio.timeout(30):
            await loudspeaker.playing.wait()
        microphone.hear(kitchen_pcm[int(4.2 * SECOND) : int(8.5 * SECOND)])
        async with asyncio.timeout(30):
            await rejected.wait()
        by_others, states_of_others = speech.interrupted, list(states)
        microphone.hear(kitchen_pcm[: int(4.2 * SECOND)])
        async with asyncio.timeout(30):
            await agent.was_asked.wait()
        by_user = speech.interrupted
        await session.aclose()
        return by_others, by_user, states_of_others, agent.asked

    by_others, by_user, states, asked = asyncio.run(converse())
    assert not by_others and states == []
    assert by_user and asked == ["Turn on the kitchen lights."]
    assert turbo_threads() == []


def test_what_the_agent_has_said_is_the_turn_before(excerpt) -> None:
    detector = LoudnessDetector(always=1.0)

    async def converse() -> None:
        agent, microphone, loudspeaker = Asked(), Microphone(), Loudspeaker()
        stt = TurboSTT(shared_models(detector=detector))
        session = AgentSession(stt=stt, vad=None, turn_handling={"turn_detection": "stt"})
        session.input.audio, session.output.audio = microphone, loudspeaker
        await session.start(agent, record=False)
        speech = session.say("Which lamp?", audio=silence())
        async with asyncio.timeout(30):
            await loudspeaker.playing.wait()
        loudspeaker.end()
        await speech.wait_for_playout()
        microphone.hear(excerpt[: 4 * SECOND])
        async with asyncio.timeout(30):
            await agent.was_asked.wait()
        await session.aclose()

    asyncio.run(converse())
    assert detector.heard[-1].before == "Which lamp?"


def test_accepted_speech_without_a_text_is_a_turn_without_one(excerpt) -> None:
    recognizer = ScriptedRecognizer(error=RuntimeError("secret words"))
    stt = TurboSTT(shared_models(recognizer, LoudnessDetector(always=1.0)))
    told = asyncio.run(events_of(stt, excerpt[: 4 * SECOND]))
    assert [event.type for event in told] == [TURN[0], TURN[2]] and "secret" not in str(told)


def test_a_stream_that_is_closed_leaves_no_thread(excerpt) -> None:
    """In the midst of speech, and of work on it."""
    recognizer = Held(release=threading.Event())
    stt = TurboSTT(shared_models(recognizer, LoudnessDetector(always=1.0)))

    async def leave() -> None:
        async with stt.stream() as stream:
            for frame in frames(excerpt[: 8 * SECOND]):
                stream.push_frame(frame)
            assert await asyncio.to_thread(recognizer.begun.wait, 30)
            recognizer.release.set()

    asyncio.run(leave())
    assert turbo_threads() == []


def test_a_recording_as_a_whole_is_not_taken() -> None:
    stt = TurboSTT(shared_models())
    assert stt.capabilities.streaming and not stt.capabilities.offline_recognize
    with pytest.raises(NotImplementedError, match="use `stream`"):
        asyncio.run(stt.recognize(frames(np.zeros(1600, np.int16))))


def test_the_extra_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit.agents", None)
    monkeypatch.delitem(sys.modules, "turbo_stream.adapters.livekit")
    with pytest.raises(ImportError, match=r"pip install 'turbo-listen\[livekit\]'"):
        importlib.import_module("turbo_stream.adapters.livekit")
