"""For LiveKit agents: a speech-to-text plugin that hears only what is meant for the agent.

    AgentSession(stt=TurboSTT(models), vad=None, turn_handling={"turn_detection": "stt"}, ...)

Needs the extra `livekit`. With a voice activity detector the session would be interrupted by
whoever speaks, hence `vad=None`: left out, LiveKit brings one.
"""

import asyncio
import time
from typing import Any
from weakref import WeakSet

from turbo_stream.adapters._ear import Ear
from turbo_stream.events import Utterance
from turbo_stream.pipeline import Models

try:
    from livekit.agents import APIConnectOptions, ConversationItemAddedEvent, LanguageCode, llm, stt
    from livekit.agents.stt import SpeechEventType as kinds
    from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr
    from livekit.agents.utils import AudioBuffer, aio
except ImportError as error:
    raise ImportError("needs the extra `livekit`: pip install 'turbo-listen[livekit]'") from error


class TurboSTT(stt.STT[Any]):
    """Says start, final transcript and end of speech for what is accepted; of the rest, nothing.

    They come together, when it is decided: until then nothing is interrupted. Accepted speech of
    which no text could be made has no transcript. Each session is heard by a stream of its own; the
    models run on threads, which end with it.

    What the agent has said is told to the models when it is added to the conversation.
    """

    def __init__(self, models: Models, **choices: Any) -> None:
        """Hear with `models`; `choices` as of `Models.stream`, but for `partials`.

        Raises `InputError` for a choice that is not allowed.
        """
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=False, offline_recognize=False, chat_context=True
            )
        )
        models.stream(partials=False, **choices)  # says at once what is not allowed
        self._models = models
        self._choices = choices
        self._streams: WeakSet[TurboStream] = WeakSet()

    @property
    def model(self) -> str:
        """What recognizes."""
        return self._models.recognizer.name

    @property
    def provider(self) -> str:
        """Who made this."""
        return "turbo_stream"

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> "TurboStream":
        """Return one session's hearing; the language is that of the models."""
        stream = TurboStream(self, self._models, self._choices, conn_options)
        self._streams.add(stream)
        return stream

    def said(self, text: str) -> None:
        """Tell what the agent says, or has just said, where the conversation does not."""
        for stream in self._streams:
            stream.said(text)

    def _push_conversation_item(self, ev: ConversationItemAddedEvent) -> None:
        if isinstance(ev.item, llm.ChatMessage) and ev.item.role == "assistant":
            self.said(ev.item.text_content or "")

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        raise NotImplementedError("it decides on what it hears as a stream; use `stream`")


class TurboStream(stt.RecognizeStream):
    """One session's sound, and what of it was accepted."""

    def __init__(
        self,
        plugin: TurboSTT,
        models: Models,
        choices: dict[str, Any],
        conn_options: APIConnectOptions,
    ) -> None:
        super().__init__(stt=plugin, conn_options=conn_options)
        self._models = models
        self._choices = choices
        self._ear: Ear | None = None

    def said(self, text: str) -> None:
        """Tell what the agent says, or has just said."""
        if self._ear is not None:
            self._ear.said(text)

    async def _run(self) -> None:
        ear = self._ear = Ear(self._models.stream(partials=False, **self._choices))
        tasks = [asyncio.create_task(self._forward(ear)), asyncio.create_task(self._hear(ear))]
        try:
            await asyncio.gather(*tasks)
        finally:
            self._ear = None
            await aio.cancel_and_wait(*tasks)
            await ear.close()

    async def _forward(self, ear: Ear) -> None:
        async for item in self._input_ch:
            if not isinstance(item, self._FlushSentinel):
                await ear.push(item.data, item.sample_rate, item.num_channels)
        ear.end()

    async def _hear(self, ear: Ear) -> None:
        async for utterance in ear.turns():
            now_s = time.time()
            start_s, end_s = (now_s - ear.since_s(s) for s in (utterance.start_s, utterance.end_s))
            self._tell(kinds.START_OF_SPEECH, speech_start_time=start_s)
            if utterance.text:
                heard = self._heard(utterance)
                self._tell(kinds.FINAL_TRANSCRIPT, alternatives=[heard], speech_end_time=end_s)
            self._tell(kinds.END_OF_SPEECH, speech_end_time=end_s)

    def _heard(self, utterance: Utterance) -> stt.SpeechData:
        return stt.SpeechData(
            language=LanguageCode(self._models.settings.language or self._models.package.language),
            text=utterance.text or "",
            start_time=utterance.start_s + self.start_time_offset,
            end_time=utterance.end_s + self.start_time_offset,
            metadata={"directed_probability": utterance.directed_probability},
        )

    def _tell(self, kind: kinds, **details: Any) -> None:
        self._event_ch.send_nowait(stt.SpeechEvent(kind, **details))
