"""One room's part in the agreement who answers: what was heard of others in, what to do out.

    claim ──> wait WINDOW for others' ──> best of them? ──> take ──> heard first? ──> act ──> done
                                              │                         │
                                              no: wait for its take     no: wait for its done

Each room tells that it heard somebody (`claim`). When the window is over, the best of the claims
is to say `take`; it acts once it hears its own take from the broker before that of another. The
broker passes everything on in one order, to all: so one take is first for everybody, however late
it comes, and nobody has to trust a clock. Who has acted says `done`, and then the others stand
down. A room that is awaited and says nothing is dead, and the next takes its place.
"""

from dataclasses import dataclass, field, replace

from turbo_stream.house.claim import Claim
from turbo_stream.house.message import Message


@dataclass(frozen=True)
class Timing:
    """How long is waited for what."""

    window_s: float = 0.075
    """From the first claim of a speech, for better ones."""

    step_s: float = 0.025
    """And for each better one, before who is next takes its place."""

    answer_s: float = 1.0
    """After which a room that was awaited is dead, and a broker that was awaited is lost. On a
    busy small machine a living one may take half of it."""

    memory_s: float = 60.0
    """How long it is known who has acted: a slow room claims late."""


MOST_HEARD = 500
"""Claims that are known at a time; of more, which no house makes, the oldest are forgotten."""


@dataclass(frozen=True)
class Say:
    """Tell the house."""

    message: Message


@dataclass(frozen=True)
class Act:
    """Answer the own claim `id` here; say `acted` when that is done."""

    id: str


@dataclass(frozen=True)
class Yield:
    """Another `room` answers what the claim `id` is of."""

    id: str
    room: str


Output = Say | Act | Yield


@dataclass
class Heard:
    """What is known of a claim, own or not."""

    claim: Claim
    since_s: float
    taken: bool = False
    done: bool = False


@dataclass
class Bid:
    """An own claim that is not settled yet."""

    claim: Claim
    since_s: float

    holders: dict[str, str] = field(default_factory=dict)
    """Claims of the same speech that others have taken, and their rooms."""

    held_s: float = 0.0
    """When the last of them was."""

    attempts: int = 0
    taking_s: float | None = None
    """When the last attempt was said, while it is not heard back and no other came before it."""


class Agreement:
    """Not connected to a broker, it lets the first of its own claims of a speech act at once.

    Times are seconds on one clock of the caller's, never going back.
    """

    def __init__(self, timing: Timing | None = None) -> None:
        """Begin without a broker."""
        self.timing = timing or Timing()
        self.connected = False
        self.heard: dict[str, Heard] = {}
        """By their ids; for `memory_s`."""
        self.bids: dict[str, Bid] = {}

    def connect(self) -> None:
        """Note that what is said reaches a broker from now on, and comes back."""
        self.connected = True

    def disconnect(self) -> list[Output]:
        """Note that the broker is lost: what nobody has taken is answered here."""
        self.connected = False
        outputs: list[Output] = []
        for bid in sorted(self.bids.values(), key=lambda bid: bid.claim.order):
            if bid.claim.id not in self.bids:
                continue  # settled with the one before
            # Who has tried to take it may be who the others wait for.
            to = None if bid.attempts else next(iter(bid.holders.values()), None)
            outputs += self._act(bid) if to is None else self._yield(bid, to)
        return outputs

    def claim(self, claim: Claim, now_s: float) -> list[Output]:
        """Take part with an own claim."""
        self._forget(now_s)
        rivals = [one for one in self.heard.values() if one.claim.same_speech(claim)]
        bid = Bid(claim, now_s)
        self.heard[claim.id], self.bids[claim.id] = Heard(claim, now_s), bid
        for one in rivals:
            if one.done:
                return self._yield(bid, one.claim.room)
        if not self.connected:
            return self._act(bid)
        bid.holders = {one.claim.id: one.claim.room for one in rivals if one.taken}
        bid.held_s = now_s
        return [Say(Message("claim", claim))]

    def hear(self, message: Message, now_s: float) -> list[Output]:
        """Take in what the broker has passed on, own messages included."""
        self._forget(now_s)
        heard = self.heard.setdefault(message.claim.id, Heard(message.claim, now_s))
        if message.claim.ended_s < heard.claim.ended_s:
            # Nothing arrives before it was sent: the shortest way errs least.
            heard.claim = replace(heard.claim, ended_s=message.claim.ended_s)
        match message.kind:
            case "take":
                heard.taken = True
                return self._hear_take(message, heard, now_s)
            case "done":
                heard.taken = heard.done = True
                return self._stand_down(heard)
        return []

    def pass_time(self, now_s: float) -> list[Output]:
        """Do what is due `now_s`."""
        outputs: list[Output] = []
        for bid in sorted(self.bids.values(), key=lambda bid: bid.claim.order):
            if bid.claim.id not in self.bids or self._due_s(bid) > now_s:
                continue
            if bid.taking_s is not None:
                # The broker is silent.
                outputs += self._act(bid)
                continue
            bid.attempts += 1
            bid.taking_s = now_s
            others = tuple(one.claim.id for one in self._rivals(bid))
            outputs.append(Say(Message("take", bid.claim, others, bid.attempts)))
        return outputs

    @property
    def due_s(self) -> float | None:
        """When `pass_time` is to be called; None where nothing is awaited."""
        return min(map(self._due_s, self.bids.values()), default=None)

    def acted(self, id: str) -> list[Output]:
        """Tell the house that what `Act` asked for is done, so that others stand down."""
        heard = self.heard.get(id)
        return [] if heard is None or not self.connected else [Say(Message("done", heard.claim))]

    def withdraw(self, id: str) -> None:
        """Give up an own claim: nobody is there any more who could act."""
        self.bids.pop(id, None)

    def _hear_take(self, message: Message, heard: Heard, now_s: float) -> list[Output]:
        own = self.bids.get(message.claim.id)
        if own is not None and own.taking_s is not None and own.attempts == message.attempt:
            return self._act(own)
        if own is not None:
            return []  # another was first
        for bid in self.bids.values():
            if bid.claim.id in message.others or bid.claim.same_speech(heard.claim):
                bid.holders[message.claim.id] = message.claim.room
                bid.held_s, bid.taking_s = now_s, None
        return self._stand_down(heard) if heard.done else []

    def _stand_down(self, done: Heard) -> list[Output]:
        """Yield to what is `done`."""
        return [
            output
            for bid in list(self.bids.values())
            if done.claim.id in bid.holders or bid.claim.same_speech(done.claim)
            for output in self._yield(bid, done.claim.room)
        ]

    def _act(self, bid: Bid) -> list[Output]:
        del self.bids[bid.claim.id]
        done = self.heard[bid.claim.id]
        done.taken = done.done = True
        # Other streams of this server hear it at once, with or without a broker.
        return [Act(bid.claim.id), *self._stand_down(done)]

    def _yield(self, bid: Bid, room: str) -> list[Output]:
        del self.bids[bid.claim.id]
        return [Yield(bid.claim.id, room)]

    def _rivals(self, bid: Bid) -> list[Heard]:
        return [one for one in self.heard.values() if one.claim.same_speech(bid.claim)]

    def _due_s(self, bid: Bid) -> float:
        timing = self.timing
        if bid.taking_s is not None:
            return bid.taking_s + timing.answer_s
        rivals = self._rivals(bid)
        better = sum(one.claim.order < bid.claim.order for one in rivals)
        if bid.holders:
            return bid.held_s + timing.answer_s + better * timing.step_s
        begun_s = min([bid.since_s, *(one.since_s for one in rivals)])
        return begun_s + timing.window_s + better * timing.step_s

    def _forget(self, now_s: float) -> None:
        others = [id for id in self.heard if id not in self.bids]  # the oldest first
        too_many = len(others) - MOST_HEARD
        for place, id in enumerate(others):
            if place < too_many or self.heard[id].since_s < now_s - self.timing.memory_s:
                del self.heard[id]
