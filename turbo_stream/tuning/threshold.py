"""The threshold for a wanted number of false accepts an hour, found in recordings of a room."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.conversation import Conversation
from turbo_stream.deciding.decider import Outcome
from turbo_stream.detection.follow_up_prior import FollowUpPrior
from turbo_stream.pipeline import Models
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.tuning.hearing import Measured, Recording
from turbo_stream.tuning.rates import CONFIDENCE, at_most

LOWEST = 0.1
"""The lowest threshold that is proposed: talk in which nothing comes near is no proof for less."""

SHOWN = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Thresholds of the trade-off that is shown."""


@dataclass(frozen=True)
class Deciding:
    """How a stream decides, but for the threshold."""

    addressing: Addressing
    follow_up: FollowUpPrior | None = None
    """None where what follows accepted speech is not favoured."""

    @classmethod
    def with_lowest(cls, models: Models) -> tuple[Models, Self]:
        """Return `models` for listening to a room, and how their streams decide."""
        # What the sound alone rejects must hold for the lowest threshold that is proposed, too.
        threshold = min(models.threshold(), LOWEST)
        lowest = replace(models.settings, threshold=threshold, operating_point=None)
        models = replace(models, settings=lowest)
        follow_up = models.package.follow_up if lowest.follow_up else None
        return models, cls(models.stream().decider.addressing, follow_up)

    def outcomes(self, recording: Recording, threshold: float) -> list[Outcome]:
        """Return what becomes of each utterance, as a stream with `threshold` decides them."""
        conversation = Conversation(self.addressing.conversation.lasts_samples)
        addressing = Addressing(self.addressing.mode, None, conversation)
        found: list[Outcome] = []
        accepted_until: int | None = None
        for one in recording.utterances:
            log_odds = 0.0
            if self.follow_up is not None and accepted_until is not None:
                log_odds = self.follow_up.after(one.start_sample - accepted_until)
            outcome = Outcome.of(
                one.score,
                # Whether there were words is all that matters of a text.
                Transcript("", known=one.no_words),
                threshold,
                log_odds=log_odds,
                name_use=one.said.use,
                address=addressing.weights(one.said, one.start_sample),
                by_sound=one.by_sound,
            )
            accepted = outcome.decision == "accepted"
            _note(conversation, one, accepted=accepted)
            if accepted:
                accepted_until = one.end_sample
            found.append(outcome)
        return found


def _note(conversation: Conversation, one: Measured, *, accepted: bool) -> None:
    conversation.note(one.start_sample, one.end_sample, accepted=accepted, closes=one.said.closes)


@dataclass(frozen=True)
class Point:
    """What one threshold makes of the recordings."""

    threshold: float
    false_accepts: int
    hours: float
    missed: int | None = None
    """Of the commands; None where there are no recordings of any."""

    commands: int = 0

    @property
    def per_hour(self) -> float:
        """False accepts an hour, as heard."""
        return self.false_accepts / self.hours

    @property
    def at_most_per_hour(self) -> float:
        """What that still allows: in 19 of 20 recordings the true rate is no higher."""
        return at_most(self.false_accepts) / self.hours

    def to_json(self) -> dict[str, Any]:
        """Return the point as a JSON-ready dict."""
        found: dict[str, Any] = {
            "threshold": self.threshold,
            "false_accepts": self.false_accepts,
            "per_hour": round(self.per_hour, 3),
            "at_most_per_hour": round(self.at_most_per_hour, 3),
        }
        if self.missed is not None:
            found |= {"missed": self.missed, "missed_share": round(self.missed / self.commands, 4)}
        return found


@dataclass(frozen=True)
class Tuned:
    """What was found."""

    per_hour: float
    """Wanted."""

    deciding: Deciding
    room: Sequence[Recording]
    commands: Sequence[Recording]
    now: float
    """The threshold so far."""

    chosen: Point | None
    """None: not even a threshold of 1 keeps to what is wanted."""

    @property
    def hours(self) -> float:
        """Hours heard in which nobody spoke to the device."""
        return _hours(self.room)

    @property
    def enough_hours(self) -> float:
        """Hours without a false accept that would show the wanted rate; infinite for 0."""
        return at_most(0) / self.per_hour if self.per_hour else math.inf

    def trade_off(self) -> list[Point]:
        """Return several thresholds in order, the one so far and the one chosen among them."""
        chosen = () if self.chosen is None else (self.chosen.threshold,)
        thresholds = sorted({*SHOWN, self.now, *chosen})
        return [_point(self.deciding, self.room, self.commands, one) for one in thresholds]

    def to_json(self) -> dict[str, Any]:
        """Return what was found as a JSON-ready dict."""
        return {
            "wanted_per_hour": self.per_hour,
            "threshold": None if self.chosen is None else self.chosen.threshold,
            "now": self.now,
            "address": self.deciding.addressing.mode,
            "hours": round(self.hours, 4),
            "recordings": len(self.room),
            "utterances": sum(len(one.utterances) for one in self.room),
            "dropped": sum(one.dropped for one in self.room),
            "commands": sum(_commands(one) for one in self.commands),
            "confidence": CONFIDENCE,
            "trade_off": [one.to_json() for one in self.trade_off()],
        }


def tune(
    deciding: Deciding,
    room: Sequence[Recording],
    commands: Sequence[Recording] = (),
    *,
    per_hour: float,
    now: float,
) -> Tuned:
    """Return the lowest threshold with at most `per_hour` false accepts an hour, and more.

    Args:
        deciding: how the stream decides.
        room: recordings in which nobody speaks to the device; at least a sample of sound.
        commands: recordings of commands to the device.
        per_hour: false accepts an hour that are allowed.
        now: the threshold so far, to compare with.
    """
    allowed = math.floor(per_hour * _hours(room) + 1e-9)
    threshold = _lowest(deciding, room, allowed)
    chosen = None if threshold is None else _point(deciding, room, commands, threshold)
    return Tuned(per_hour, deciding, room, commands, now, chosen)


def _lowest(deciding: Deciding, room: Sequence[Recording], allowed: int) -> float | None:
    """Return the threshold from which on upward no more than `allowed` are accepted."""
    good: float | None = None
    threshold = 1.0
    while True:
        outcomes = [one for recording in room for one in deciding.outcomes(recording, threshold)]
        if sum(one.decision == "accepted" for one in outcomes) > allowed:
            return None if good is None else _rounded_up(threshold, good)
        good = threshold
        # Down to the next score nothing changes.
        below = [one.probability for one in outcomes if one.decision != "accepted"]
        threshold = max(below, default=0.0)
        if threshold < LOWEST:
            return LOWEST


def _rounded_up(above: float, highest: float) -> float:
    """Return a short number above `above`, and no more than `highest`."""
    return min(math.floor(above * 1e4 + 1) / 1e4, highest)


def _point(
    deciding: Deciding,
    room: Sequence[Recording],
    commands: Sequence[Recording],
    threshold: float,
) -> Point:
    def accepted(recordings: Sequence[Recording]) -> int:
        outcomes = (one for each in recordings for one in deciding.outcomes(each, threshold))
        return sum(one.decision == "accepted" for one in outcomes)

    given = sum(_commands(one) for one in commands)
    missed = given - accepted(commands) if given else None
    return Point(threshold, accepted(room), _hours(room), missed, given)


def _commands(recording: Recording) -> int:
    """Return how many commands were given: where none was heard at all, one was missed."""
    return max(1, len(recording.utterances))


def _hours(recordings: Sequence[Recording]) -> float:
    return sum(one.heard_s for one in recordings) / 3600
