"""Publishes what streams say: accepted utterances, state, counters; for as long as it takes."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

from aiomqtt import Client, MqttError, ProtocolVersion

from turbo_stream.events import Event, Utterance
from turbo_stream.serving.hub import Hub, Refused, Transport
from turbo_stream.serving.mqtt._choice_command import (
    Adjustable,
    Choice,
    ChoiceCommand,
    choices_of,
)
from turbo_stream.serving.mqtt._config import MqttConfig
from turbo_stream.serving.mqtt._connection import (
    UNAVAILABLE,
    BrokerError,
    connected,
    is_too_old,
    trouble_of,
    trust,
)
from turbo_stream.serving.mqtt._correct_command import CORRECT, CorrectCommand, Correcting
from turbo_stream.serving.mqtt._discovery import CHOICES, LEARNING, discovery_messages
from turbo_stream.serving.mqtt._house_topic import HouseTopic
from turbo_stream.serving.mqtt._link import Link
from turbo_stream.serving.mqtt._outbox import Outbox
from turbo_stream.serving.mqtt._refusals import Refusals
from turbo_stream.serving.mqtt._said_command import SAID, SaidCommand, Speaking
from turbo_stream.serving.mqtt._stream_states import Standing

GRACE_S = 5.0
"""How long `close` lets what waits be delivered."""


class Device(Adjustable, Speaking, Protocol):
    """What others may set, tell, and correct."""

    @property
    def corrections(self) -> Correcting:
        """What learns of it, if anything does."""
        ...


class MqttPublisher:
    """Feeds one broker with the events of any number of streams, and is told how to address them.

    Text leaves only with accepted utterances. While the broker is away these wait, a bounded
    number for a bounded time; what is given up is counted (`undelivered`) and said. State and
    counters are retained, and only their newest values are sent.
    """

    def __init__(
        self,
        config: MqttConfig,
        say: Callable[[str], None] | None = None,
        house: HouseTopic | None = None,
    ) -> None:
        """Prepare; `say` is told in one line when the broker goes away and comes back.

        `house`: where rooms agree who answers.

        Raises `InputError` for certificates that cannot be read.
        """
        self._config = config
        self._say = say or logging.getLogger(__name__).warning
        self._context = trust(config)
        self._standing = Standing()
        self._outbox = Outbox(config.max_waiting, config.max_wait_s)
        self._lock = threading.Lock()
        """Guards the two above: streams speak from threads of their own."""
        self._published: dict[str, str] = {}
        """Retained on this connection: topic and payload."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._closing = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None
        self._link = Link(config, self._say)
        self._protocol = ProtocolVersion.V5
        self._attempts = 0
        self._owner = uuid4().hex
        """Retained while we are connected: who comes back and finds another's has a rival. Not all
        brokers say to whom a connection was lost."""
        self._owned = False
        self._device: Device | None = None
        self._choices: list[Choice] = []
        """What can be set of it."""
        self._house = house
        self._commands: dict[str, ChoiceCommand | SaidCommand | CorrectCommand | HouseTopic] = {}
        """By their topics."""
        self._last_scored: str | None = None
        """The `correction_id` of the last utterance of all streams that has one."""

    def hear(self, event: Event, stream: str = "") -> None:
        """Take in what `stream` (a name of its own) says; from any thread, never waiting."""
        with self._lock:
            self._standing.note(event, stream)
            if isinstance(event, Utterance) and event.correction_id is not None:
                self._last_scored = event.correction_id
            if isinstance(event, Utterance) and event.answered_here:
                self._outbox.put(self._letter(event, stream))
                self._standing.count_undelivered(self._outbox.give_up())
        self._wake()

    def end(self, stream: str) -> None:
        """Forget `stream`, which is over; from any thread."""
        with self._lock:
            self._standing.end(stream)
        self._wake()

    def note_learning(self) -> None:
        """Publish what `device` has learned; in its loop."""
        self._news.set()

    async def run(self, device: Device | None = None) -> None:
        """Publish until `close`. Raises `BrokerError` if the broker refuses at the first attempt.

        One that is not there, or refuses later, is tried again and again, with growing waits. The
        choices of `device` are published and may be made, what it says may be told, and, where it
        learns, its decisions may be corrected; its methods are called in this loop.
        """
        self._device = device
        if self._house is not None:
            self._commands[self._house.topic] = self._house
        if device is not None:
            self._commands[self._config.topic(SAID)] = SaidCommand(device)
            self._choices = choices_of(device)
            for choice in self._choices:
                topic = self._config.topic(f"{choice.name}/set")
                self._commands[topic] = ChoiceCommand(choice, topic, self._say)
            topic = self._config.topic(CORRECT)
            if device.corrections.learned is not None:
                refusals = Refusals(topic, self._say)
                self._commands[topic] = CorrectCommand(
                    device.corrections, lambda: self._last_scored, refusals
                )
        self._loop = asyncio.get_running_loop()
        self._keeping = asyncio.create_task(self._keep_connected(), name="mqtt")
        try:
            await self._keeping
        except asyncio.CancelledError:
            # Cancelled by `close`, whose patience has ended; else by our own caller.
            if not self._closing.is_set():
                raise
        finally:
            self._loop = None
            self._account_for_the_rest()

    async def close(self) -> None:
        """Deliver what waits, say goodbye, and let `run` return; takes `GRACE_S` at most."""
        self._closing.set()
        self._news.set()
        if self._keeping is not None:
            await asyncio.wait({self._keeping}, timeout=GRACE_S)
            self._keeping.cancel()

    async def _keep_connected(self) -> None:
        while not self._closing.is_set():
            try:
                async with connected(self._config, self._context, self._protocol) as client:
                    await self._converse(client)
            except MqttError as error:
                if self._protocol is ProtocolVersion.V5 and is_too_old(error):
                    self._protocol = ProtocolVersion.V311
                    continue
                wait_s = self._note_failure(error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), wait_s)

    async def _converse(self, client: Client) -> None:
        """Publish until told to close; raises `MqttError` when the connection breaks."""
        self._note_success()
        tasks = {
            asyncio.create_task(self._publish_all(client)),
            asyncio.create_task(self._listen(client)),
        }
        if self._house is not None:
            tasks.add(asyncio.create_task(self._house.carry(client)))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _publish_all(self, client: Client) -> None:
        self._published.clear()
        # In this order: of what is retained the other's comes first.
        owner = self._config.topic("owner")
        await client.subscribe(owner, qos=1)
        await client.publish(owner, self._owner, qos=1, retain=True)
        self._owned = True
        for topic in self._commands:
            await client.subscribe(topic, qos=1)
        learns = self._config.topic(CORRECT) in self._commands
        messages = discovery_messages(self._config, self._choices, learns=learns)
        for topic, body in messages.items():
            payload = "" if body is None else json.dumps(body)
            await client.publish(topic, payload, qos=1, retain=True)
        while True:
            self._news.clear()
            closing = self._closing.is_set()
            await self._publish_letters(client)
            with self._lock:
                state, counters = self._standing.state, self._standing.counters()
            state_payload = UNAVAILABLE if closing else json.dumps({"state": state})
            await self._publish_retained(client, "state", state_payload)
            await self._publish_retained(client, "counters", json.dumps(counters))
            if self._device is not None:
                words = {choice.name: choice.now() for choice in self._choices}
                for name in CHOICES:
                    await self._publish_retained(client, name, words.get(name, ""))
                await self._publish_retained(client, LEARNING, self._learning(self._device))
            if closing:
                return
            await self._news.wait()

    async def _listen(self, client: Client) -> None:
        """Look who was connected before, and obey; raises `MqttError` when the link breaks."""
        owned_before = self._owned
        async for message in client.messages:
            command = self._commands.get(message.topic.value)
            if command is not None:
                command.obey(message.payload, retained=message.retain)
                self._news.set()
            # At the first connection it is the process before this one; and who empties what is
            # retained is nobody.
            elif owned_before and message.payload and message.payload != self._owner.encode():
                self._link.taken()

    async def _publish_letters(self, client: Client) -> None:
        topic = self._config.topic("utterance")
        while True:
            with self._lock:
                self._standing.count_undelivered(self._outbox.give_up())
                letter = self._outbox.first()
            if letter is None:
                return
            # Not retained: who subscribes later shall not obey an old command.
            await client.publish(topic, letter.payload, qos=1)
            with self._lock:
                self._outbox.delivered(letter)

    async def _publish_retained(self, client: Client, name: str, payload: str) -> None:
        topic = self._config.topic(name)
        if self._published.get(topic) != payload:
            await client.publish(topic, payload, qos=1, retain=True)
            self._published[topic] = payload

    def _learning(self, device: Device) -> str:
        """Return what is retained of it: where nothing is learned that is nothing, also of before.

        While the server ends it stays as it was.
        """
        before = self._published.get(self._config.topic(LEARNING), "")
        if self._config.topic(CORRECT) not in self._commands:
            return ""
        try:
            learned = device.corrections.learned
        except Refused:
            return before
        return before if learned is None else json.dumps(learned.to_json())

    def _letter(self, event: Utterance, stream: str) -> str:
        decided_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = event.to_json() | {"stream": stream, "decided_at": decided_at}
        return json.dumps(body, ensure_ascii=False)

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop ended between these two lines
                loop.call_soon_threadsafe(self._news.set)

    def _note_failure(self, error: MqttError) -> float:
        """Return how long to wait for the next attempt."""
        trouble = trouble_of(error)
        self._attempts += 1
        if trouble == "refused" and self._attempts == 1 and not self._link.ever_made:
            raise BrokerError(
                f"the MQTT broker {self._config.address} cannot be used: {error}; check the "
                "address, the user and the password, and the certificates"
            )
        return 0.0 if self._closing.is_set() else self._link.broken(trouble, str(error))

    def _note_success(self) -> None:
        first = not self._link.ever_made
        if self._link.made():
            with self._lock:
                given_up, waiting = self._outbox.give_up(), len(self._outbox)
                self._standing.count_undelivered(given_up)
            self._say(
                f"the MQTT broker {self._config.address} is {'there' if first else 'back'}; "
                f"accepted utterances that waited: {waiting}, given up since the start: "
                f"{self._standing.undelivered}"
            )

    def _account_for_the_rest(self) -> None:
        with self._lock:
            waiting = len(self._outbox)
        if waiting:
            self._say(
                f"accepted utterances that never reached the MQTT broker "
                f"{self._config.address}: {waiting}"
            )


class MqttService:
    """Publishes what the clients of the server say, each of them a stream `TRANSPORT-NUMBER`.

    How the device listens can be set by the broker, but for what clients choose themselves;
    and decisions can be corrected there, where the server learns.
    """

    def __init__(self, publisher: MqttPublisher) -> None:
        """Feed `publisher`, which nobody else runs."""
        self._publisher = publisher
        self._names: dict[int, str] = {}

    async def run(self, hub: Hub) -> None:
        """Publish until `close`. Raises `BrokerError` if the broker refuses at the start."""
        with (
            hub.watch(self._hear, self._end),
            hub.corrections.watch(self._publisher.note_learning),
        ):
            await self._publisher.run(hub)

    async def close(self) -> None:
        """Deliver what waits, then let `run` return; idempotent."""
        await self._publisher.close()

    def _hear(self, stream: int, transport: Transport, event: Event) -> None:
        name = self._names.setdefault(stream, f"{transport}-{stream}")
        self._publisher.hear(event, name)

    def _end(self, stream: int) -> None:
        name = self._names.pop(stream, None)
        if name is not None:
            self._publisher.end(name)
