"""What was said in a file, in OpenAI's words: of rejected speech an empty text."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from turbo_stream.events import Event, Finished, Utterance


@dataclass(frozen=True)
class Transcript:
    """The utterances of one file, or of one turn of live sound."""

    utterances: tuple[Utterance, ...]
    duration_s: float = 0.0
    """Of all sound."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> "Transcript":
        """Return what `events`, of a stream that is over, hold."""
        events = tuple(events)
        heard_s = sum(event.audio_s for event in events if isinstance(event, Finished))
        return cls(tuple(event for event in events if isinstance(event, Utterance)), heard_s)

    @property
    def text(self) -> str:
        """What was accepted; empty where nothing was."""
        return " ".join(text for text in map(accepted_text, self.utterances) if text)

    @property
    def directed_probability(self) -> float | None:
        """Of the utterance that was most likely meant for the device; None where none is scored."""
        scored = [
            utterance.directed_probability
            for utterance in self.utterances
            if utterance.directed_probability is not None
        ]
        return max(scored, default=None)

    def plain(self) -> dict[str, Any]:
        """Return the answer of the format `json`."""
        return {
            "text": self.text,
            "directed_probability": self.directed_probability,
            "usage": {"type": "duration", "seconds": self.duration_s},
        }

    def verbose(self, language: str) -> dict[str, Any]:
        """Return the answer of the format `verbose_json`: with a segment for each utterance."""
        return {
            "task": "transcribe",
            "language": language,
            "duration": self.duration_s,
            **self.plain(),
            "segments": [_segment(utterance) for utterance in self.utterances],
        }

    def stream(self) -> Iterator[str]:
        """Yield the server-sent events: a delta for each accepted utterance, and the end."""
        said = ""
        for text in filter(None, map(accepted_text, self.utterances)):
            delta = f" {text}" if said else text
            said += delta
            yield _sent({"type": "transcript.text.delta", "delta": delta})
        yield _sent({"type": "transcript.text.done", **self.plain()})


def accepted_text(utterance: Utterance) -> str:
    """Return what was said if it is to be answered; else nothing, whatever is shown to others."""
    return utterance.text or "" if utterance.answered_here else ""


def _segment(utterance: Utterance) -> dict[str, Any]:
    asr = utterance.asr
    return {
        "id": utterance.id,
        # What is asked for by clients that know Whisper, and is the same here for every segment.
        "seek": 0,
        "tokens": [],
        "temperature": 0.0,
        "start": utterance.start_s,
        "end": utterance.end_s,
        "text": accepted_text(utterance),
        "avg_logprob": asr.get("avg_logprob"),
        "compression_ratio": asr.get("compression_ratio"),
        "no_speech_prob": asr.get("no_speech_prob"),
        "directed_probability": utterance.directed_probability,
        "decision": utterance.decision,
    }


def _sent(event: dict[str, Any]) -> str:
    return f"data: {json.dumps(event, ensure_ascii=False, allow_nan=False)}\n\n"
