"""How people are assumed to talk around a device, and sessions drawn from that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class World:
    """An assumption, not a measurement: no open corpus has sessions with a device in them.

    A session lasts `length_s` from a command on. Follow-ups come in a chain, each with
    `follow_up_share`, and people talk among themselves in bursts.
    """

    follow_up_share: float
    """Probability that another utterance to the device follows one."""

    chat_share: float
    """Probability that people begin to talk among themselves right after the command."""

    follow_up_median_s: float = 5.0
    """Median gap before a follow-up; log-normal, with `follow_up_spread` of its logarithm."""

    follow_up_spread: float = 0.7
    chat_gap_s: float = 3.0
    """Mean gap between the utterances of a burst; exponential."""

    chat_utterances: float = 5.0
    """Mean length of a burst; geometric."""

    bursts: float = 1.0
    """Mean number of further bursts in a session, anywhere in it; Poisson."""

    length_s: float = 180.0


@dataclass(frozen=True)
class Sessions:
    """Utterances in the order of time, session after session."""

    session: NDArray[np.int64]
    """`[N]`, number of the session."""

    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]
    directed: NDArray[np.bool_]
    logit: NDArray[np.float64]
    """`[N]`, natural log-odds of `directed` without a prior."""

    @property
    def later(self) -> NDArray[np.bool_]:
        """`[N]`, False for the command that begins a session: nothing comes before it."""
        return np.append(False, self.session[1:] == self.session[:-1])


@dataclass(frozen=True)
class Clip:
    """A scored recording."""

    directed: bool
    logit: float
    duration_s: float


def draw_sessions(clips: Sequence[Clip], world: World, *, count: int, seed: int) -> Sessions:
    """Fill `count` sessions of `world` with `clips`, drawn with replacement."""
    rng = np.random.default_rng(seed)
    pools = {label: [clip for clip in clips if clip.directed == label] for label in (True, False)}
    rows: list[tuple[int, float, float, bool, float]] = []
    for session in range(count):
        at_s, spoken = _commands(world, rng)
        spoken += _chat(world, at_s, rng)
        busy_until_s = -math.inf
        for start_s, label in sorted(spoken):
            clip = pools[label][rng.integers(len(pools[label]))]
            # Nobody is cut short: who would begin while another speaks, begins after.
            start_s = max(start_s, busy_until_s + 0.3)
            busy_until_s = start_s + clip.duration_s
            rows.append((session, start_s, busy_until_s, label, clip.logit))
    columns = zip(*rows, strict=True)
    return Sessions(*(np.array(column) for column in columns))


def _commands(world: World, rng: np.random.Generator) -> tuple[float, list[tuple[float, bool]]]:
    """Return when the first command is about over, and the directed utterances."""
    at_s, spoken = 0.0, [(0.0, True)]
    while rng.random() < world.follow_up_share and at_s < world.length_s:
        gap_s = rng.lognormal(math.log(world.follow_up_median_s), world.follow_up_spread)
        at_s += 2.0 + gap_s
        spoken.append((at_s, True))
    return 2.0, spoken


def _chat(world: World, after_s: float, rng: np.random.Generator) -> list[tuple[float, bool]]:
    starts = list(rng.uniform(0, world.length_s, rng.poisson(world.bursts)))
    if rng.random() < world.chat_share:
        starts.append(after_s)
    found = []
    for at_s in starts:
        for _ in range(rng.geometric(1 / world.chat_utterances)):
            at_s += rng.exponential(world.chat_gap_s)
            found.append((at_s, False))
            at_s += 2.0
    return found
