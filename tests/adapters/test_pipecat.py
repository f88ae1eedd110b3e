"""In a real pipeline of pipecat: what goes downstream of the adapter, and what does not."""

import asyncio
import importlib
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest

pytest.importorskip(
    "pipecat.frames.frames", reason="needs the extra `pipecat`", exc_type=ImportError
)

from pipecat.frames.frames import (
    AggregatedTextFrame,
    AudioRawFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextAssistantTurnFrame,
    LLMContextFrame,
    ProposedUserStartedSpeakingFrame,
    ProposedUserStoppedSpeakingFrame,
    StartFrame,
    STTMetadataFrame,
    STTMuteFrame,
    TranscriptionFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.paths import ROOT
from tests.support.served import shared_models
from tests.support.threads import turbo_threads
from turbo_stream import Models, Settings, Utterance
from turbo_stream.adapters._ear import Ear
from turbo_stream.adapters.pipecat import AgentSpeech, TurboSTT

SECOND = 16_000


@pytest.fixture(scope="module")
def models() -> Models:
    """The shipped model, with the small Whisper of the tests."""
    whisper = ROOT / "tests" / "assets" / "whisper-kitchen"
    return Models.load(Settings(asr=str(whisper), turn_model="none", vad="webrtc"))


class Watch(BaseObserver):
    """Sees every frame that any processor hands on, in either direction."""

    def __init__(self) -> None:
        super().__init__()
        self.pushed: list[FramePushed] = []

    async def on_push_frame(self, data: FramePushed) -> None:
        self.pushed.append(data)

    def behind(self, stt: TurboSTT) -> list[Frame]:
        """Every frame that left the adapter, or that anybody behind it made of it."""
        upstream = FrameDirection.UPSTREAM
        return [
            p.frame
            for p in self.pushed
            if not isinstance(p.frame, InputAudioRawFrame) or p.source is stt
            if p.source is stt or p.direction == upstream or "Aggregator" in p.source.name
        ]


class Agent:
    """A pipeline whose LLM is watched only; `tell` puts frames into it."""

    def __init__(self, stt: TurboSTT, *between: FrameProcessor) -> None:
        self.stt, self.watch = stt, Watch()
        # As it is recommended by the adapter, but made before; the default loads models.
        params = LLMUserAggregatorParams(user_turn_strategies=ExternalUserTurnStrategies())
        user, assistant = LLMContextAggregatorPair(LLMContext(), user_params=params)
        pipeline = Pipeline([stt, *between, user, AgentSpeech(stt), assistant])
        self.worker = PipelineWorker(pipeline, observers=[self.watch], enable_rtvi=False)

    async def run(
        self, *told: np.ndarray | Frame | Callable[[], Awaitable[None] | None], end: bool = True
    ) -> None:
        """Have it hear sound and take frames, in order; a frame that is said comes from the end."""
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        running = asyncio.create_task(runner.run())
        for one in told:
            if isinstance(one, np.ndarray):
                await self.worker.queue_frames(list(frames(one)))
            elif isinstance(one, Frame):
                said = isinstance(one, LLMContextAssistantTurnFrame)
                way = FrameDirection.UPSTREAM if said else FrameDirection.DOWNSTREAM
                await asyncio.sleep(0.3)
                await self.worker.queue_frame(one, way)
                await asyncio.sleep(0.3)
            else:
                await asyncio.sleep(0.3)
                if (waiting := one()) is not None:
                    await waiting
        if end:
            await self.worker.queue_frame(EndFrame())
        else:
            await runner.cancel()
        async with asyncio.timeout(60):
            await running

    def asked(self) -> list[str]:
        """What the LLM was given to answer, once each."""
        found = {
            p.frame.id: [message["content"] for message in p.frame.context.messages]
            for p in self.watch.pushed
            if isinstance(p.frame, LLMContextFrame)
        }
        return list(found.values())[-1] if found else []


class Slow(FrameProcessor):
    """Takes its time with a text, as one that translates it does."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TranscriptionFrame):
            await asyncio.sleep(0.1)
        await self.push_frame(frame, direction)


def frames(pcm: np.ndarray) -> list[InputAudioRawFrame]:
    return [
        InputAudioRawFrame(pcm[start : start + 320].tobytes(), SECOND, 1)
        for start in range(0, len(pcm), 320)
    ]


@pytest.mark.slow
def test_a_mixed_scene_reaches_the_agent_as_its_accepted_turns_alone(models, excerpt) -> None:
    with_rejected = models.stream(show_rejected=True)
    events = with_rejected.process(excerpt) + with_rejected.flush()
    spoken = {e.decision: e.text for e in events if isinstance(e, Utterance)}
    assert len(spoken) == 2, "nothing to compare"

    agent = Agent(TurboSTT(models, show_rejected=True))
    asyncio.run(agent.run(excerpt))

    behind = agent.watch.behind(agent.stt)
    assert agent.asked() == [spoken["accepted"]]
    assert not [frame for frame in behind if isinstance(frame, AudioRawFrame)]
    words = {word.strip(".,?!").lower() for word in spoken["rejected"].split() if len(word) > 3}
    carried = " ".join(str(vars(frame)) for frame in behind).lower()
    assert spoken["accepted"].lower() in carried and len(words) > 3
    assert not [word for word in words if word in carried]

    mine = [p.frame for p in agent.watch.pushed if p.source is agent.stt]
    turn = (
        ProposedUserStartedSpeakingFrame,
        TranscriptionFrame,
        ProposedUserStoppedSpeakingFrame,
    )
    down = [f for f in mine if isinstance(f, turn)]
    # The start goes both ways.
    assert [next(k for k in turn if isinstance(f, k)) for f in down] == [turn[0], *turn]
    assert down[2].result.decision == "accepted" and down[2].language == "en"
    assert len({f.id for f in behind if isinstance(f, InterruptionFrame)}) == 2, "both ways"
    assert turbo_threads() == []


def test_while_others_talk_nothing_at_all_happens(models, kitchen_pcm) -> None:
    talk = kitchen_pcm[int(4.2 * SECOND) : int(8.5 * SECOND)]
    agent = Agent(TurboSTT(models))
    asyncio.run(agent.run(talk))
    mine = [p.frame for p in agent.watch.pushed if p.source is agent.stt]
    assert {type(frame) for frame in mine} == {StartFrame, STTMetadataFrame, EndFrame}
    assert agent.asked() == []


@pytest.mark.parametrize("between", [(), (Slow,)])
def test_two_turns_decided_at_once_are_both_answered(
    monkeypatch: pytest.MonkeyPatch, between
) -> None:
    async def both(ear: Ear) -> AsyncIterator[Utterance]:
        for text in ("one", "two"):
            yield Utterance(1, 0.0, 1.0, "accepted", None, (), 0.9, 0.5, text, {})

    monkeypatch.setattr(Ear, "turns", both)
    agent = Agent(TurboSTT(shared_models()), *(made() for made in between))
    asked: list[str] = []

    async def answered() -> None:
        """Before the end, which would have what is left over answered, too."""
        for _ in range(50):
            if len(agent.asked()) < 2:
                await asyncio.sleep(0.1)
        asked.extend(agent.asked())

    asyncio.run(agent.run(answered))
    assert asked == ["one", "two"]


def test_the_event_loop_goes_on_while_the_models_work(excerpt) -> None:
    recognizer = ScriptedRecognizer(release=threading.Event())
    agent = Agent(TurboSTT(shared_models(recognizer, LoudnessDetector(always=1.0))))

    async def run() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            # As often as while nothing works: the models wait until this is done.
            while ticks < 30:
                await asyncio.sleep(0.01)
                ticks += recognizer.calls > 0
            recognizer.release.set()

        await asyncio.gather(agent.run(excerpt[: 4 * SECOND]), tick())
        return ticks

    assert asyncio.run(run()) == 30 and agent.asked() == ["turn on the lights"]


def test_accepted_speech_without_a_text_is_a_turn_without_one(excerpt) -> None:
    recognizer = ScriptedRecognizer(error=RuntimeError("secret words"))
    agent = Agent(TurboSTT(shared_models(recognizer, LoudnessDetector(always=1.0))))
    asyncio.run(agent.run(excerpt[: 4 * SECOND]))
    behind = agent.watch.behind(agent.stt)
    assert [f for f in behind if isinstance(f, ProposedUserStartedSpeakingFrame)]
    assert not [f for f in behind if isinstance(f, TranscriptionFrame)]
    assert "secret" not in str([vars(frame) for frame in behind])


@pytest.mark.parametrize(
    "said",
    [
        LLMContextAssistantTurnFrame("Which lamp?", ""),
        AggregatedTextFrame("Which lamp?", "sentence"),
    ],
)
def test_what_the_agent_says_is_the_turn_before(said: Frame, excerpt) -> None:
    detector = LoudnessDetector(always=1.0)
    agent = Agent(TurboSTT(shared_models(detector=detector)))
    if isinstance(said, AggregatedTextFrame):
        said.will_be_spoken = True
    asyncio.run(agent.run(excerpt[:SECOND], said, excerpt[SECOND : 4 * SECOND]))
    assert detector.heard[-1].before == "Which lamp?"


def test_a_muted_user_is_not_heard(excerpt) -> None:
    detector = LoudnessDetector(always=1.0)
    agent = Agent(TurboSTT(shared_models(detector=detector)))
    asyncio.run(agent.run(STTMuteFrame(True), excerpt[: 4 * SECOND], STTMuteFrame(False)))
    assert agent.asked() == [] and detector.heard == []


def test_a_cancelled_pipeline_leaves_no_thread(excerpt) -> None:
    """In the midst of speech, and of work on it."""
    recognizer = ScriptedRecognizer(release=threading.Event())
    agent = Agent(TurboSTT(shared_models(recognizer, LoudnessDetector(always=1.0))))
    asyncio.run(agent.run(excerpt[: int(2.5 * SECOND)], recognizer.release.set, end=False))
    assert turbo_threads() == [] and agent.asked() == []


def test_the_extra_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pipecat.frames.frames", None)
    monkeypatch.delitem(sys.modules, "turbo_stream.adapters.pipecat")
    with pytest.raises(ImportError, match=r"pip install 'turbo-listen\[pipecat\]'"):
        importlib.import_module("turbo_stream.adapters.pipecat")
