"""What the rooms of a house tell each other, as JSON."""

import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

from turbo_stream._util.option import is_number
from turbo_stream.house.claim import Claim

Kind = Literal["claim", "take", "done"]
"""Somebody heard it; somebody is about to act; somebody has acted."""

_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
MOST_BYTES = 4096
_MOST_OTHERS = 32
LONGEST_NAME = 64
"""Of a room, in characters."""

_LONGEST_AGO_MS = 120_000
_MOST_ATTEMPTS = 1_000_000
_NUMBERS = ("over_noise_db", "score", "ended_ms_ago", "attempt")


@dataclass(frozen=True)
class Message:
    """One of them. Each holds the whole claim, so that none needs another to be understood."""

    kind: Kind
    claim: Claim

    others: tuple[str, ...] = ()
    """Of a take: the claims that it takes to be of the same speech."""

    attempt: int = 0
    """Of a take: how many its claim has sent."""

    def to_bytes(self, now_s: float) -> bytes:
        """Return it as it is sent `now_s`, on the sender's clock.

        Clocks of two machines differ, so no time is sent but how long ago the speech ended; the
        receiver counts back from the arrival, and errs by the time that the message took.
        """
        claim = self.claim
        body = {
            "kind": self.kind,
            "id": claim.id,
            "room": claim.room,
            "ear": claim.ear,
            "over_noise_db": claim.over_noise_db,
            "score": claim.score,
            "ended_ms_ago": round((now_s - claim.ended_s) * 1000),
            "others": list(self.others[:_MOST_OTHERS]),
            "attempt": self.attempt,
        }
        return json.dumps(body).encode()

    @classmethod
    def from_bytes(cls, payload: bytes, now_s: float) -> "Message | None":
        """Return what arrived `now_s`, on the receiver's clock; None for what is no message."""
        if len(payload) > MOST_BYTES:
            return None
        try:
            body = json.loads(payload, parse_int=float)
        except (ValueError, RecursionError):
            return None
        return cls._read(body, now_s) if isinstance(body, dict) else None

    @classmethod
    def _read(cls, body: dict[str, Any], now_s: float) -> "Message | None":
        names: list[Any] = [body.get(name) for name in ("id", "room", "ear")]
        numbers: list[Any] = [body.get(name) for name in _NUMBERS]
        others, kind = body.get("others"), _KINDS.get(str(body.get("kind")))
        if kind is None or not isinstance(others, list):
            return None
        if len(others) > _MOST_OTHERS or not all(map(_is_name, (*names, *others))):
            return None
        if not all(map(is_number, numbers)):
            return None
        over_noise_db, score, ago_ms, attempt = numbers
        if abs(ago_ms) > _LONGEST_AGO_MS or not 0 <= attempt <= _MOST_ATTEMPTS:
            return None
        id, room, ear = names
        claim = Claim(id, room, ear, over_noise_db, score, now_s - ago_ms / 1000)
        return cls(kind, claim, tuple(others), int(attempt))


def _is_name(given: object) -> bool:
    return isinstance(given, str) and 0 < len(given) <= LONGEST_NAME and given.isprintable()
