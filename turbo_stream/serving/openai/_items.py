"""The utterances of a realtime session as items of a conversation."""

import secrets
from collections.abc import Iterator
from typing import Any

from turbo_stream.events import Event, SpeechStarted, Utterance
from turbo_stream.serving.openai._transcript import Transcript

_UNDECIDED = ("error", "overload", "source_lost")
"""Reasons for which nothing is known of an utterance."""

MOST_HELD = 200
"""Utterances of one turn that the client has not ended."""


class TooManyHeld(Exception):
    """The client does not end its turn."""


class Items:
    """Says of events what OpenAI's server would. Times count from the begin of the session."""

    def __init__(self) -> None:
        self._ids: dict[int, str] = {}
        """Of utterances that have begun, by theirs."""
        self._held: list[Utterance] = []
        """What is over of a turn that the client has not ended."""
        self._before: str | None = None
        """The item before."""

    @property
    def held(self) -> bool:
        """Whether there is something to be told at the end of a turn."""
        return bool(self._held)

    def forget(self) -> None:
        """Forget what is not told yet: another stream begins."""
        self._ids.clear()
        self._held.clear()

    def hear(self, event: Event, *, finds_turns: bool, began_s: float) -> Iterator[dict[str, Any]]:
        """Yield what is to be told of `event`, of a stream that began at `began_s`.

        Raises `TooManyHeld`.
        """
        match event:
            case SpeechStarted() if finds_turns:
                yield {
                    "type": "input_audio_buffer.speech_started",
                    "audio_start_ms": _ms(began_s + event.time_s),
                    "item_id": self._id(event.id),
                }
            case Utterance() if finds_turns:
                item = self._id(event.id)
                del self._ids[event.id]
                yield {
                    "type": "input_audio_buffer.speech_stopped",
                    "audio_end_ms": _ms(began_s + event.end_s),
                    "item_id": item,
                }
                yield from self._item(item, (event,))
            case Utterance():
                if len(self._held) >= MOST_HELD:
                    raise TooManyHeld
                self._held.append(event)

    def commit(self) -> Iterator[dict[str, Any]]:
        """Yield what is to be told when the client has ended a turn: one item of all it held."""
        held = tuple(self._held)
        self.forget()
        yield from self._item(_new_id(), held)

    def _item(self, item: str, utterances: tuple[Utterance, ...]) -> Iterator[dict[str, Any]]:
        before, self._before = self._before, item
        yield {
            "type": "input_audio_buffer.committed",
            "previous_item_id": before,
            "item_id": item,
        }
        yield {
            "type": "conversation.item.added",
            "previous_item_id": before,
            "item": {
                "id": item,
                "object": "realtime.item",
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_audio", "transcript": None}],
            },
        }
        transcription = "conversation.item.input_audio_transcription"
        place = {"item_id": item, "content_index": 0}
        failed = next((one.reason for one in utterances if one.reason in _UNDECIDED), None)
        transcript = Transcript(
            utterances, round(sum(one.end_s - one.start_s for one in utterances), 3)
        )
        if failed is not None and not transcript.text:
            error = {
                "type": "server_error",
                "code": failed,
                "message": f"this was not decided: {failed}",
                "param": None,
            }
            yield {"type": f"{transcription}.failed", **place, "error": error}
            return
        said = transcript.plain()
        if text := said.pop("text"):
            yield {"type": f"{transcription}.delta", **place, "delta": text}
        yield {"type": f"{transcription}.completed", **place, "transcript": text, **said}

    def _id(self, utterance: int) -> str:
        return self._ids.setdefault(utterance, _new_id())


def _new_id() -> str:
    return f"item_{secrets.token_hex(12)}"


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
