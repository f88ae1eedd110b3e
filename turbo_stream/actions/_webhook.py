"""Posts accepted utterances to a URL, again and again until they are taken or too old."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic, time
from typing import TYPE_CHECKING, Any

import turbo_stream
from turbo_stream._util.outbox import Outbox
from turbo_stream.actions._webhook_address import Address
from turbo_stream.actions._webhook_signature import signature
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager


@dataclass(frozen=True)
class WebhookConfig:
    """How patient a webhook is."""

    connect_s: float = 5.0
    """Seconds to reach the receiver."""

    read_s: float = 10.0
    """Seconds to wait for its answer."""

    first_wait_s: float = 0.5
    """Before the second attempt; doubled for each further one."""

    longest_wait_s: float = 15.0
    """Between two attempts, and of what the receiver asks for by `Retry-After`."""

    too_old_s: float = 60.0
    """After so long an utterance is given up: nobody waits for that light any more."""

    max_waiting: int = 64
    """Utterances that may wait; one more, and the oldest is dropped."""


_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
"""Answers after which the same request may still be taken; any other 4xx never will."""


@dataclass(frozen=True)
class _Delivery:
    utterance: Utterance

    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    """The same in every attempt, so that the receiver knows a repetition."""

    since_s: float = field(default_factory=lambda: monotonic())


class Webhook:
    """Delivers one utterance after the other, in order, off the thread that listens.

    Body: the event as JSON. Headers: `Idempotency-Key` and, equal to it, `webhook-id`;
    `webhook-timestamp`; with a secret, `webhook-signature` (Standard Webhooks 1.0). Redirects are
    not followed, proxies of the environment not used. What is told holds no text and no path.
    """

    def __init__(
        self,
        address: Address,
        *,
        secret: bytes | None = None,
        say: Callable[[str], None],
        patient: bool = False,
        config: WebhookConfig | None = None,
    ) -> None:
        """Start the thread; InputError where urllib3 is missing."""
        self._address = address
        self._secret = secret
        self._say = say
        self._config = config or WebhookConfig()
        self._client = _client(self._config)
        self._outbox = Outbox(
            self._deliver,
            name="webhook",
            max_waiting=self._config.max_waiting,
            dropped=lambda delivery: self._failed(delivery, "dropped: those before it took long"),
            patient=patient,
        )

    def hand_on(self, utterance: Utterance) -> None:
        """Have `utterance` sent; returns at once unless patient."""
        self._outbox.put(_Delivery(utterance))

    def close(self, within_s: float) -> None:
        """Send what waits, for `within_s` at most."""
        self._outbox.close(within_s)
        self._client.clear()

    def hurry(self) -> None:
        """Let `close` wait no longer."""
        self._outbox.hurry()

    def _deliver(self, delivery: _Delivery, stop: threading.Event) -> None:
        body = json.dumps(delivery.utterance.to_json(), ensure_ascii=False).encode()
        wait_s = self._config.first_wait_s
        why = "those before it took long"
        while monotonic() - delivery.since_s <= self._config.too_old_s:
            asked_s = None
            try:
                answer = self._post(delivery, body)
            except Exception as error:
                # Every way in which a network can fail; the message would hold the whole URL.
                why = _plain(error)
            else:
                if 200 <= answer.status < 300:
                    return
                why = f"answer {answer.status}"
                if answer.status not in _TRY_AGAIN:
                    self._failed(delivery, why)
                    return
                asked_s = _retry_after(answer)
            # Jitter, so that many devices do not come back to a receiver all at once.
            pause_s = max(random.uniform(wait_s / 2, wait_s), asked_s or 0.0)
            pause_s = min(pause_s, self._config.longest_wait_s)
            wait_s = min(2 * wait_s, self._config.longest_wait_s)
            if monotonic() + pause_s - delivery.since_s > self._config.too_old_s:
                break
            if stop.wait(pause_s):
                self._failed(delivery, f"given up, since listening has ended ({why})")
                return
        self._failed(delivery, f"given up after {self._config.too_old_s:g} s ({why})")

    def _post(self, delivery: _Delivery, body: bytes) -> BaseHTTPResponse:
        answer = self._client.request(
            "POST",
            self._address.url,
            body=body,
            headers=self._headers(delivery, body),
            redirect=False,
            retries=False,
            preload_content=False,
        )
        # What the receiver has to say beyond its status may be endless, and is not wanted.
        answer.close()
        return answer

    def _headers(self, delivery: _Delivery, body: bytes) -> dict[str, str]:
        timestamp_s = int(time())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"turbo-stream/{turbo_stream.__version__}",
            "Connection": "close",
            "Idempotency-Key": delivery.key,
            "webhook-id": delivery.key,
            "webhook-timestamp": str(timestamp_s),
        }
        if self._secret is not None:
            headers["webhook-signature"] = signature(
                self._secret, delivery=delivery.key, timestamp_s=timestamp_s, body=body
            )
        return headers

    def _failed(self, delivery: _Delivery, what: str) -> None:
        number = delivery.utterance.id
        self._say(f"`webhook`: utterance {number} for {self._address.shown}: {what}")


def _client(config: WebhookConfig) -> PoolManager:
    try:
        import urllib3
    except ImportError as error:
        raise InputError("`webhook` needs urllib3: pip install 'turbo-listen[webhook]'") from error
    timeout = urllib3.Timeout(connect=config.connect_s, read=config.read_s)
    return urllib3.PoolManager(timeout=timeout)


def _retry_after(answer: BaseHTTPResponse) -> float | None:
    """Return the seconds that the receiver asks for, as a number or a date (RFC 9110, 10.2.3)."""
    import urllib3

    value: Any = answer.headers.get("Retry-After")
    try:
        return None if value is None else urllib3.Retry().parse_retry_after(value)
    except urllib3.exceptions.InvalidHeader:
        return None


def _plain(error: BaseException) -> str:
    """Return what went wrong, in a word or two."""
    cause: BaseException = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    return getattr(cause, "strerror", None) or type(cause).__name__
