"""Events as a pipeline makes them."""

from turbo_stream.events import Utterance


def utterance(decision: str = "accepted", text: str | None = "turn on the lights", id: int = 0):
    """Return an utterance of the given decision."""
    return Utterance(
        id=id,
        start_s=1.0,
        end_s=2.5,
        decision=decision,
        reason={"accepted": None, "rejected": "not_directed", "dropped": "too_short"}[decision],
        degraded=(),
        directed_probability=0.9,
        threshold=0.5,
        text=text,
        asr={"backend": "scripted"},
    )
