"""Decisions on recorded utterances, made by the product's own rule for any mode and threshold."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.address import Address, Addressing
from turbo_stream.addressing.calls import Said
from turbo_stream.deciding.decider import Decider, safe_sound_reject
from turbo_stream.deciding.scored import Hearing, Scored
from turbo_stream.detection.detector import Score
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.recognition.recognizer import NoRecognizer, Transcript
from turbo_stream.segmentation.segment import Segment

Row = dict[str, Any]

SOUND_REJECT = 0.09
"""Of the package that ships."""


class Setting(NamedTuple):
    """How a device decides."""

    mode: Address
    threshold: float
    conversation_s: float = 0.0


@dataclass(frozen=True)
class Recorded:
    """One stream, as the recorder wrote it."""

    name: str
    samples: int
    names: tuple[str, ...]
    clips: Sequence[Row]
    utterances: Sequence[Row]

    @property
    def hours(self) -> float:
        """How long it is."""
        return self.samples / SAMPLE_RATE / 3600


def read(path: Path) -> Recorded:
    """Return what `path` tells of a stream. Raises `InputError`."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    if not lines or lines[0].get("kind") != "stream":
        raise InputError(f"{path} is not of the recorder: its first line tells of no stream")
    first = lines[0]
    return Recorded(
        path.stem,
        first["samples"],
        tuple(first["names"]),
        [line for line in lines if line["kind"] == "clip"],
        [line for line in lines if line["kind"] == "utterance"],
    )


def decide(
    recorded: Recorded, name: str, setting: Setting, sound_reject: float = SOUND_REJECT
) -> Iterator[tuple[Row, Utterance]]:
    """Yield each utterance, and the event of a device called `name` ("": it has none)."""
    names = (name,) if name else ()
    addressing = Addressing.of(setting.mode, names, setting.conversation_s, reads_again=True)
    decider = Decider(
        NoRecognizer(),
        _Nobody(),
        setting.threshold,
        addressing=addressing,
        sound_reject=safe_sound_reject(
            sound_reject, threshold=setting.threshold, log_odds=addressing.most
        ),
    )
    for row in recorded.utterances:
        start, end = row["start"], row["end"]
        segment = Segment(row["id"], start, end, end, np.zeros(0, np.int16))
        yield row, decider.decide(segment, _scored(row, name, setting, decider.sound_reject))


def text_of(row: Row, name: str) -> str:
    """Return the text that a device called `name` decided by: of the reading that counted."""
    return str(row["of"][name].get("text", row["text"]))


def _scored(row: Row, name: str, setting: Setting, sound_reject: float) -> Scored:
    sound = row["sound"]
    if sound is not None and sound < sound_reject:
        return Scored(Hearing.without_text(), Score(sound, {}), 0.0, by_sound=True)
    of = row["of"][name]
    if "text" in of and setting.mode == "open":
        of = row["of"][""]  # nothing is read a second time
    transcript = Transcript(of.get("text", row["text"]), known=row["known"])
    said = Said(of["use"], name or None, of["closes"])
    return Scored(Hearing(transcript, 0.0), Score(of["score"], {}), 0.0, said)


class _Nobody:
    """A detector that is never asked."""

    name = "recorded"

    def warm_up(self) -> None:
        """Do nothing."""

    def score(self, pcm: object, transcript: object) -> Score:
        raise AssertionError("a recorded utterance has its score")


def clip_of(recorded: Recorded, row: Row) -> int | None:
    """Return which recording an utterance is of: the one it shares most with."""
    shared = [
        min(row["end"], clip["stop"]) - max(row["start"], clip["start"]) for clip in recorded.clips
    ]
    if not shared or max(shared) <= 0:
        return None
    return int(np.argmax(shared))
