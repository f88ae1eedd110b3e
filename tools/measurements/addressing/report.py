"""What the recordings say of each way to be addressed, as figures."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

from tools.measurements.addressing.figures import (
    Accepts,
    Rate,
    Share,
    accepted_clips,
    by_setting,
    by_spelling,
    rate,
)
from tools.measurements.addressing.replay import Recorded, Setting, read
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.address import Address

MODES: tuple[Address, ...] = get_args(Address)

CONVERSATION_S = 8.0
"""As a device does that nobody told otherwise; on single recordings there is none."""

TALK = ("acted_dialogue", "conversation", "read_sentences", "audiobook", "noise")
CALLS = ("wake_words", "home_wake_words", "alert_words", "built_calls")
OTHERS = ("word_mentions", "word_mention_cuts", "built_mentions", "built_near", "home_wake_words")
UNNAMED = ("coffee_commands", "phone_assistant", "assistant_commands")

LATE_S = 1.0
"""An engine that answers so late has still heard the recording before."""

THRESHOLDS = tuple(1 / (1 + 2.718281828 ** (-step / 2)) for step in range(-16, 29))
"""Of the curves, evenly in log-odds."""

_CONDITION = re.compile(r"_(clean|[0-9.]+dB)_[0-9]+$")


@dataclass(frozen=True)
class Collection:
    """The streams of one set, label and noise."""

    set: str
    label: str
    condition: str
    streams: Sequence[Recorded]

    @property
    def names(self) -> tuple[str, ...]:
        """Names that a device may have in it."""
        return tuple(dict.fromkeys(name for one in self.streams for name in one.names))

    @property
    def hours(self) -> float:
        """How long it is."""
        return sum(one.hours for one in self.streams)


def collections(folder: Path) -> list[Collection]:
    """Return what the recorder has written into `folder`."""
    found: dict[tuple[str, str, str], list[Recorded]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        recorded = read(path)
        marked = _CONDITION.search(path.stem)
        first = recorded.clips[0] if recorded.clips else {"set": "noise", "label": "not_directed"}
        key = (first["set"], first["label"], marked[1] if marked else "clean")
        found.setdefault(key, []).append(recorded)
    return [Collection(*key, streams) for key, streams in found.items()]


@cache
def accepts(mode: Address, threshold: float, conversation_s: float) -> Accepts:
    """Return the product's decision; asked again it is remembered."""
    inner = by_setting(Setting(mode, threshold, conversation_s))
    known: dict[tuple[str, str], set[int]] = {}

    def remembered(recorded: Recorded, name: str) -> set[int]:
        key = (recorded.name, name)
        if key not in known:
            known[key] = inner(recorded, name)
        return known[key]

    return remembered


def talk(one: Collection, threshold: float, new: Sequence[str]) -> dict[str, Rate]:
    """Return false accepts of each mode; `new` names are counted apart as well."""
    found = {}
    for mode in MODES:
        for spoken, names in (("", one.names), (", new", [n for n in one.names if n in new])):
            found[f"{mode}{spoken}"] = rate(
                one.streams, names, accepts(mode, threshold, CONVERSATION_S)
            )
    found["named, each time"] = rate(one.streams, one.names, accepts("named", threshold, 0.0))
    found["open, no name"] = rate(one.streams, [""], accepts("open", threshold, CONVERSATION_S))
    found["spelling"] = rate(one.streams, one.names, by_spelling)
    found["spelling, new"] = rate(one.streams, [n for n in one.names if n in new], by_spelling)
    return found


def accepted(
    one: Collection, decide: Accepts, only: Callable[[Mapping[str, Any]], bool] = lambda clip: True
) -> Share:
    """Return how many recordings are accepted by the device each is for."""
    found = [
        heard
        for stream in one.streams
        for name in stream.names
        for clip, heard in accepted_clips(stream, name, decide)
        if only(clip)
    ]
    return Share(sum(found), len(found))


def missed(share: Share) -> Share:
    """Return the others."""
    return Share(share.of - share.count, share.of)


def shares(one: Collection, threshold: float) -> dict[str, Share]:
    """Return what is accepted in each mode, by itself, without a conversation."""
    found = {str(mode): accepted(one, accepts(mode, threshold, 0.0)) for mode in MODES}
    found["spelling"] = accepted(one, by_spelling)
    return found


def by_name(one: Collection, threshold: float) -> dict[str, Share]:
    """Return what `named` accepts of each name's recordings."""
    return {
        name: accepted(one, accepts("named", threshold, 0.0), _is("device_name", name))
        for name in one.names
    }


def by_place(one: Collection, threshold: float) -> dict[str, Share]:
    """Return what `named` accepts of each way to call or to mention."""
    places = dict.fromkeys(
        clip["place"] for stream in one.streams for clip in stream.clips if clip["place"]
    )
    decide = accepts("named", threshold, 0.0)
    return {place: accepted(one, decide, _is("place", place)) for place in places}


def _is(key: str, value: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda clip: bool(clip[key] == value)


def curve(
    mode: Address, talk_of: Collection, wanted: Iterable[Collection], name: str | None = None
) -> list[dict[str, float]]:
    """Return false accepts an hour and missed recordings over all thresholds.

    Args:
        mode: how it is addressed.
        talk_of: nobody speaks to the device.
        wanted: what should be accepted.
        name: the only name of the device; "" for none, None for each one that was recorded.
    """
    points = []
    wanted = list(wanted)
    for threshold in THRESHOLDS:
        decide = accepts(mode, threshold, CONVERSATION_S)
        names = talk_of.names if name is None else [name]
        false = rate(talk_of.streams, names, decide)
        alone = accepts(mode, threshold, 0.0)
        found = [
            heard
            for one in wanted
            for stream in one.streams
            for of in (stream.names if name is None else [name])
            for _, heard in accepted_clips(stream, of, alone)
        ]
        share = Share(len(found) - sum(found), len(found))
        points.append(
            {
                "threshold": threshold,
                "an_hour": false.an_hour,
                "missed": share.value,
                "of": share.of,
            }
        )
    return points


def at_rate(points: Sequence[Mapping[str, float]], an_hour: float) -> Mapping[str, float] | None:
    """Return the lowest threshold of a curve that keeps to a rate; None where none does."""
    return next((point for point in points if point["an_hour"] <= an_hour), None)


def peers(folder: Path, of: Sequence[Collection]) -> list[dict[str, Any]]:
    """Return for each engine, setting and word what it missed and found where nothing was."""
    streams = {one.name: (group, one) for group in of for one in group.streams}
    tallies: dict[tuple[str, str, str, str, str], list[float]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            if row["stream"] not in streams:
                continue
            group, stream = streams[row["stream"]]
            for setting, hits in row["hits"].items():
                key = (path.stem, setting, row["word"], group.set, group.condition)
                tally = tallies.setdefault(key, [0, 0, 0, 0.0])
                if group.label == "directed":
                    heard = [_heard(clip, hits) for clip in stream.clips]
                    tally[0] += len(heard) - sum(heard)
                    tally[1] += len(heard)
                else:
                    tally[2] += len(hits)
                    tally[3] += stream.hours
    return [
        {
            **dict(zip(("engine", "setting", "word", "set", "condition"), key, strict=True)),
            "missed": Share(int(tally[0]), int(tally[1])),
            "false": Rate(int(tally[2]), tally[3]),
        }
        for key, tally in tallies.items()
    ]


def _heard(clip: Mapping[str, Any], hits: Sequence[int]) -> bool:
    late = int(LATE_S * SAMPLE_RATE)
    return any(clip["start"] <= hit <= clip["stop"] + late for hit in hits)
