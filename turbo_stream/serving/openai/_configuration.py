"""What a client sets of its realtime session: who says where a turn ends."""

import secrets
from typing import Any

from turbo_stream.serving.openai._wish import WishError, check_language

RATE = 24_000
"""Of the sound, Hz; the only one of OpenAI's for PCM."""

_INPUT = "session.audio.input"


class Configuration:
    """The session, and what of it can be set."""

    def __init__(self, model: str, language: str) -> None:
        """Begin with turns that the server finds."""
        self._id = f"sess_{secrets.token_hex(12)}"
        self._model = model
        self._language = language
        self.finds_turns = True
        """Whether the server says where a turn ends; else the client does, by `commit`."""

    def update(self, session: object) -> None:
        """Take what `session` of a message `session.update` says.

        What only tunes, as `noise_reduction`, `prompt` and the figures of `turn_detection`, is
        passed over. Raises `WishError`, having taken nothing.
        """
        if not isinstance(session, dict):
            raise WishError("session", "`session` has to be an object")
        if session.get("type", "transcription") != "transcription":
            raise WishError("session.type", "this server transcribes: give `type` transcription")
        given = _object(_object(session, "audio", "session.audio"), "input", _INPUT)
        sound = _object(given, "format", f"{_INPUT}.format")
        if sound.get("type", "audio/pcm") != "audio/pcm" or sound.get("rate", RATE) != RATE:
            wanted = f"the sound has to be audio/pcm of {RATE} Hz"
            raise WishError(f"{_INPUT}.format", wanted)
        wanted_language = _object(given, "transcription", f"{_INPUT}.transcription").get("language")
        if not isinstance(wanted_language, str | None):
            raise WishError(f"{_INPUT}.transcription.language", "`language` has to be a text")
        check_language(wanted_language, self._language, f"{_INPUT}.transcription.language")
        if "turn_detection" in given:
            turns = given["turn_detection"]
            if turns is not None and not (
                isinstance(turns, dict) and turns.get("type") == "server_vad"
            ):
                raise WishError(
                    f"{_INPUT}.turn_detection", "`turn_detection` may be server_vad or null"
                )
            self.finds_turns = turns is not None

    def to_json(self) -> dict[str, Any]:
        """Return the session as the client is told it."""
        return {
            "id": self._id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": RATE},
                    "noise_reduction": None,
                    "transcription": {"model": self._model, "language": self._language},
                    "turn_detection": {"type": "server_vad"} if self.finds_turns else None,
                }
            },
        }


def _object(given: dict[str, Any], name: str, param: str) -> dict[str, Any]:
    """Return `given[name]`, empty where it is left out or null. Raises `WishError`."""
    found = given.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise WishError(param, f"`{name}` has to be an object")
    return found
