"""For pipecat: a speech-to-text service after which only what is meant for the agent is heard.

    Pipeline([transport.input(), TurboSTT(models), user_aggregator, llm, tts, ...])

Needs the extra `pipecat`. What goes on downstream of it, of all that is said: the turns that were
accepted. The user aggregator takes them, and no detector of its own, unless it was given one.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from turbo_stream.adapters._ear import Ear
from turbo_stream.errors import TurboStreamError
from turbo_stream.events import Utterance
from turbo_stream.pipeline import Models

try:
    from pipecat.frames.frames import (
        AggregatedTextFrame,
        CancelFrame,
        EndFrame,
        Frame,
        InputAudioRawFrame,
        LLMContextAssistantTurnFrame,
        ProposedUserStartedSpeakingFrame,
        ProposedUserStoppedSpeakingFrame,
        StartFrame,
        STTMetadataFrame,
        STTMuteFrame,
        TranscriptionFrame,
        UserStoppedSpeakingFrame,
    )
    from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
    from pipecat.services.ai_service import AIService
    from pipecat.services.settings import STTSettings
    from pipecat.transcriptions.language import Language
    from pipecat.turns.user_turn_strategies import ExternalUserTurnStrategies
    from pipecat.utils.time import time_now_iso8601
except ImportError as error:
    raise ImportError("needs the extra `pipecat`: pip install 'turbo-listen[pipecat]'") from error

_TURN_S = 3.0
"""A turn that has not ended after this is not waited for: strategies may tell nobody."""


@dataclass
class _Transcription(TranscriptionFrame):
    """The turn that interrupts: the interruption must not drop it on its way."""

    interruptible: bool = field(default=False, init=False)


@dataclass
class _Stopped(ProposedUserStoppedSpeakingFrame):
    """The end of such a turn."""

    interruptible: bool = field(default=False, init=False)


class TurboSTT(AIService):
    """Takes the sound off the pipeline; puts user turns into it for what was accepted.

    Each is a `ProposedUserStartedSpeakingFrame`, which interrupts the agent, a final
    `TranscriptionFrame`, whose `result` is the `Utterance`, and the `Proposed…` of its end.
    They come together, when it is decided: until then nothing is interrupted, and of what is not
    accepted nothing comes at all. Accepted speech of which no text could be made has no
    transcription. The models run on threads of their own, which end with the pipeline.

    What the agent has said is told to the models when its turn is over, and sentence by sentence
    where `AgentSpeech` stands behind the output.
    """

    def __init__(self, models: Models, **choices: Any) -> None:
        """Make a stream over `models`; `choices` as of `Models.stream`, but for `partials`.

        Raises `InputError` for a choice that is not allowed.
        """
        language = models.settings.language or models.package.language
        super().__init__(settings=STTSettings(model=models.recognizer.name, language=language))
        self._pipeline = models.stream(partials=False, **choices)
        self._language = next((known for known in Language if known == language), None)
        self._ear: Ear | None = None
        self._muted = False
        self._user_id = ""
        self._turn_over = asyncio.Event()

    def said(self, text: str) -> None:
        """Tell what the agent says, or has just said, where no frame tells it."""
        if self._ear is not None:
            self._ear.said(text)

    def service_metadata_frame(self) -> STTMetadataFrame:
        """Return that the turns are found here, and there is no text to wait for after them."""
        frame = STTMetadataFrame(service_name=self.name, ttfs_p99_latency=0.0)
        frame.user_turn_strategies = ExternalUserTurnStrategies()
        return frame

    async def start(self, frame: StartFrame) -> None:
        """Begin to listen."""
        await super().start(frame)
        self._ear = Ear(self._pipeline)
        self._hearing = self.create_task(self._hear(self._ear))

    async def stop(self, frame: EndFrame) -> None:
        """Have what was heard decided, and its turns sent on before `frame`."""
        await super().stop(frame)
        if self._ear is not None:
            self._ear.end()
            await asyncio.wait([self._hearing])
            await self._leave()

    async def cancel(self, frame: CancelFrame) -> None:
        """Abandon what is not decided."""
        await super().cancel(frame)
        await self._leave()

    async def cleanup(self) -> None:
        """Leave no thread behind, however the pipeline ended."""
        await self._leave()
        await super().cleanup()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Hear the user's sound and keep it; let everything else pass."""
        await super().process_frame(frame, direction)
        match frame:
            case InputAudioRawFrame():
                await self._listen(frame)
                return
            case STTMuteFrame():
                self._muted = frame.mute
                return
            case LLMContextAssistantTurnFrame():
                self.said(frame.text)
            case UserStoppedSpeakingFrame():
                self._turn_over.set()
        await self.push_frame(frame, direction)

    async def _listen(self, frame: InputAudioRawFrame) -> None:
        if self._ear is not None and not self._muted:
            self._user_id = getattr(frame, "user_id", "")
            await self._ear.push(frame.audio, frame.sample_rate, frame.num_channels)

    async def _hear(self, ear: Ear) -> None:
        try:
            async for utterance in ear.turns():
                await self._send(utterance)
        except Exception as error:
            # Ours say what to do. What others raise may quote what was said.
            known = str(error) if isinstance(error, TurboStreamError) else type(error).__name__
            await self.push_error(f"hears nothing any more: {known}", force_treat_as_permanent=True)

    async def _send(self, utterance: Utterance) -> None:
        self._turn_over.clear()
        await self.broadcast_frame(ProposedUserStartedSpeakingFrame)
        if utterance.text:
            await self.push_frame(
                _Transcription(
                    utterance.text,
                    self._user_id,
                    time_now_iso8601(),
                    language=self._language,
                    result=utterance,
                    finalized=True,
                )
            )
        await self.push_frame(_Stopped())
        # A start overtakes the texts before it: of two turns at once the second would be lost.
        if utterance.text:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TURN_S):
                    await self._turn_over.wait()

    async def _leave(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            await ear.close()
            await self.cancel_task(self._hearing)


class AgentSpeech(FrameProcessor):
    """Tells a `TurboSTT` each sentence of the agent when it is spoken; stands behind the output.

    Without it a user who interrupts is heard as if the agent had not spoken yet.
    """

    def __init__(self, stt: TurboSTT) -> None:
        super().__init__()
        self._stt = stt

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Let everything pass."""
        await super().process_frame(frame, direction)
        if isinstance(frame, AggregatedTextFrame) and frame.will_be_spoken:
            self._stt.said(frame.text)
        await self.push_frame(frame, direction)
