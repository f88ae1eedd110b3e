"""Rooms around one broker, in simulated time: delays, losses, repeats, deaths, other clocks."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random

from turbo_stream.house.agreement import Act, Agreement, Output, Say, Yield
from turbo_stream.house.claim import Claim
from turbo_stream.house.message import Message


@dataclass
class Network:
    """What may happen to a message."""

    longest_leg_s: float = 0.01
    """From a room to the broker, and from there to a room."""

    lost: float = 0.0
    """Share of what arrives that does not."""

    repeated: float = 0.0
    """Share of what arrives that arrives once more, later."""

    in_order: bool = True
    """As one connection to one broker keeps it."""

    longest_act_s: float = 0.02
    """From `Act` to `acted`."""


@dataclass
class Settled:
    """What became of one claim."""

    room: int
    made_s: float
    at_s: float | None = None
    yielded_to: str | None = None
    told: bool = False
    """The broker knows that it was acted."""

    @property
    def acted(self) -> bool:
        return self.at_s is not None and self.yielded_to is None


class Simulation:
    """Calls what happens in the order of its time."""

    def __init__(self, rooms: int, network: Network, random: Random) -> None:
        self.network = network
        self.random = random
        self.now_s = 0.0
        self.rooms = [Room(self, number) for number in range(rooms)]
        self.settled: dict[str, Settled] = {}
        self.broker_lost = False
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, at_s: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(at_s, self.now_s), next(self._numbers), event))

    def run(self, until_s: float = 60.0) -> None:
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, event = heapq.heappop(self._events)
            event()

    def leg_s(self) -> float:
        return self.random.uniform(0, self.network.longest_leg_s)

    def pass_on(self, payload: bytes, message: Message) -> None:
        """The broker has got `payload`: all that are connected get it, in this order."""
        if self.broker_lost:
            return
        if message.kind == "done":
            self.settled[message.claim.id].told = True
        for room in self.rooms:
            room.arrives(payload)

    def lose_broker(self, *, seen: bool) -> None:
        """Nothing is passed on any more; `seen`: the connections break, else they are silent."""
        self.broker_lost = True
        for room in self.rooms:
            if seen:
                self.at(self.now_s + self.leg_s(), room.disconnect)


@dataclass
class Room:
    """One server with one stream."""

    simulation: Simulation
    number: int
    alive: bool = True
    agreement: Agreement = field(default_factory=Agreement)
    clock_ahead_s: float = 0.0
    up_free_s: float = 0.0
    down_free_s: float = 0.0

    def __post_init__(self) -> None:
        self.agreement.connect()

    @property
    def name(self) -> str:
        return f"room-{self.number}"

    @property
    def own_s(self) -> float:
        """The time on its own clock."""
        return self.simulation.now_s + self.clock_ahead_s

    def claims(self, id: str, *, ended_s: float, over_noise_db: float, score: float) -> None:
        """Its model has accepted speech that ended `ended_s`, by everybody's time."""
        if not self.alive:
            return
        simulation = self.simulation
        simulation.settled[id] = Settled(self.number, simulation.now_s)
        claim = Claim(id, self.name, self.name, over_noise_db, score, ended_s + self.clock_ahead_s)
        self._do(self.agreement.claim(claim, self.own_s))

    def dies(self) -> None:
        self.alive = False

    def disconnect(self) -> None:
        if self.alive:
            self._do(self.agreement.disconnect())

    def arrives(self, payload: bytes) -> None:
        """The broker has sent it `payload`."""
        simulation, network = self.simulation, self.simulation.network
        if simulation.random.random() < network.lost:
            return
        at_s = simulation.now_s + simulation.leg_s()
        if network.in_order:
            at_s = self.down_free_s = max(at_s, self.down_free_s)
        simulation.at(at_s, lambda: self._hear(payload))
        if simulation.random.random() < network.repeated:
            again_s = at_s + simulation.random.uniform(0, 3)
            simulation.at(again_s, lambda: self._hear(payload))

    def _hear(self, payload: bytes) -> None:
        if self.alive and self.agreement.connected:
            message = Message.from_bytes(payload, self.own_s)
            assert message is not None
            self._do(self.agreement.hear(message, self.own_s))

    def _do(self, outputs: list[Output]) -> None:
        simulation = self.simulation
        for output in outputs:
            match output:
                case Say(message):
                    self._say(message)
                case Act(id):
                    assert simulation.settled[id].at_s is None, "settled twice"
                    simulation.settled[id].at_s = simulation.now_s
                    takes_s = simulation.random.uniform(0, simulation.network.longest_act_s)
                    simulation.at(simulation.now_s + takes_s, lambda id=id: self._acted(id))
                case Yield(id, room):
                    assert simulation.settled[id].at_s is None, "settled twice"
                    simulation.settled[id].at_s = simulation.now_s
                    simulation.settled[id].yielded_to = room
        due_s = self.agreement.due_s
        if due_s is not None:
            simulation.at(due_s - self.clock_ahead_s, self._pass_time)

    def _pass_time(self) -> None:
        due_s = self.agreement.due_s
        if self.alive and due_s is not None and due_s <= self.own_s + 1e-9:
            self._do(self.agreement.pass_time(self.own_s + 1e-9))

    def _acted(self, id: str) -> None:
        if self.alive:
            self._do(self.agreement.acted(id))

    def _say(self, message: Message) -> None:
        simulation = self.simulation
        at_s = max(simulation.now_s + simulation.leg_s(), self.up_free_s)
        self.up_free_s = at_s
        payload = message.to_bytes(self.own_s)
        simulation.at(at_s, lambda: simulation.pass_on(payload, message))
