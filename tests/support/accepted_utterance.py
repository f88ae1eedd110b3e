"""An accepted utterance."""

from turbo_stream.events import Utterance


def utterance(text: str | None = "turn on the lights", number: int = 0, **changes) -> Utterance:
    given = {
        "id": number,
        "start_s": 1.25,
        "end_s": 2.5,
        "decision": "accepted",
        "reason": None,
        "degraded": (),
        "directed_probability": 0.9731,
        "threshold": 0.5,
        "text": text,
        "asr": {"backend": "scripted"},
    }
    return Utterance(**(given | changes))
