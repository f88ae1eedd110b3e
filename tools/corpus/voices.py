"""Who speaks, and how: the voices, and ways of speaking to a device or to a person.

The voices here are of Debian main only, whose licences let a model made with them ship;
`kokoro_voices` has natural ones. Ways of speaking (short, slow and clear to a device; running,
quick and soft to a person) are for a part of the pairs only, and not every member speaks as its
class mostly does: a habit, no rule.
"""

import random
import re
from dataclasses import dataclass

from tools.corpus.text_collections import DIRECTED, speakable


@dataclass(frozen=True)
class Voice:
    """One synthetic speaker."""

    name: str
    engine: str
    """`flite`, `festival`, `espeak-ng` or `kokoro`."""
    engine_voice: str
    """What the engine calls it."""
    fold: str
    share: float
    """Relative frequency within its fold."""
    license: str
    tone: bool = True
    """Whether the engine can move the fundamental alone, without the formants."""
    blend: tuple[str, float] | None = None
    """Another voice of the engine that is mixed in, and its weight; the rest is `engine_voice`."""


_CMU = "CMU Flite licence (BSD-like)"

_EDINBURGH = "CSTR/CMU Festival licence (BSD-like)"

_HTS = "EST-2003 / BSD"

_ESPEAK = "GPL-3.0 program; its output is not covered"

VOICES = (
    Voice("flite-rms", "flite", "rms", "train", 3, _CMU, tone=False),
    Voice("flite-slt", "flite", "slt", "train", 2, _CMU),
    Voice("festival-slt", "festival", "cmu_us_slt_arctic_hts", "train", 2, _HTS, tone=False),
    Voice("espeak-m3", "espeak-ng", "en-us+m3", "train", 0.2, _ESPEAK),
    Voice("espeak-m1", "espeak-ng", "en-us+m1", "train", 0.2, _ESPEAK),
    Voice("espeak-f2", "espeak-ng", "en-us+f2", "train", 0.2, _ESPEAK),
    Voice("espeak-f4", "espeak-ng", "en-us+f4", "train", 0.2, _ESPEAK),
    Voice("espeak-gb-m7", "espeak-ng", "en-gb+m7", "train", 0.2, _ESPEAK),
    Voice("espeak-m5", "espeak-ng", "en-us+m5", "train", 0.2, _ESPEAK),
    Voice("espeak-carib-m8", "espeak-ng", "en-029+m8", "train", 0.2, _ESPEAK),
    Voice("espeak-wmids-linda", "espeak-ng", "en-gb-x-gbcwmd+linda", "train", 0.2, _ESPEAK),
    Voice("espeak-scot-f3", "espeak-ng", "en-gb-scotland+f3", "train", 0.2, _ESPEAK),
    # kal16 and kal_diphone are one speaker: one side.
    Voice("flite-kal", "flite", "kal16", "dev", 2, _CMU),
    Voice("festival-kal", "festival", "kal_diphone", "dev", 2, _EDINBURGH),
    Voice("espeak-f1", "espeak-ng", "en-us+f1", "dev", 0.3, _ESPEAK),
    Voice("espeak-lanc-aunty", "espeak-ng", "en-gb-x-gbclan+aunty", "dev", 0.3, _ESPEAK),
    Voice("espeak-gb-m2", "espeak-ng", "en-gb+m2", "dev", 0.3, _ESPEAK),
    Voice("flite-awb", "flite", "awb", "test", 3, _CMU),
    Voice("festival-ked", "festival", "ked_diphone", "test", 3, _EDINBURGH),
    Voice("espeak-f5", "espeak-ng", "en-us+f5", "test", 0.3, _ESPEAK),
    Voice("espeak-m6", "espeak-ng", "en-us+m6", "test", 0.3, _ESPEAK),
    Voice("espeak-rp-m4", "espeak-ng", "en-gb-x-rp+m4", "test", 0.3, _ESPEAK),
)

VOICE_OF = {voice.name: voice for voice in VOICES}


@dataclass(frozen=True)
class Style:
    """How one clip is spoken."""

    name: str
    rate: float
    """Factor on the speed."""
    effort_db: float
    """High frequencies against low ones: a raised voice is brighter."""
    level_db: float
    """Added to the level of the pair."""


STYLE_SHARE = 0.3
"""Share of pairs in which a way of speaking is chosen; the others are spoken alike."""

HABIT_SHARE = 0.75
"""How often a member of such a pair speaks in the way of its class."""

TO_DEVICE, TO_PERSON = "to_device", "to_person"

_RATE_RANGES = {TO_DEVICE: (0.82, 0.97), TO_PERSON: (1.03, 1.22)}

_EFFORT_RANGES_DB = {TO_DEVICE: (0.5, 5.0), TO_PERSON: (-5.0, -0.5)}

_LEVEL_RANGES_DB = {TO_DEVICE: (0.0, 4.0), TO_PERSON: (-4.0, 0.0)}

_PAUSE_SHARE, _FILLER_SHARE, _CONTINUED_SHARE = 0.5, 0.4, 0.3

_FILLERS = ("um", "uh", "well", "so", "you know", "i mean", "like")

_CONTINUATIONS = ("and", "so", "but", "you know", "or something", "right", "and then")

_POLITE = re.compile(r"^(please|(can|could|would|will) you( please)?)\s+(?=\S+\s)|\s+please$")

_QUESTION = re.compile(
    r"(what|when|where|who|why|how|which|is|are|was|were|do|does|did|can|could|will|would|should)\b"
)

_QUESTION_SHARE = 0.85

_MARKS = {".": 0.65, "": 0.2, "!": 0.1, "...": 0.05}


def draw_styles(labels: list[str], rng: random.Random) -> list[Style | None]:
    """Return the ways in which the members of a pair speak; None for both if it is a plain one."""
    if rng.random() >= STYLE_SHARE:
        return [None] * len(labels)
    return [_draw(label, rng) for label in labels]


def _draw(label: str, rng: random.Random) -> Style:
    ways = (TO_DEVICE, TO_PERSON) if label == DIRECTED else (TO_PERSON, TO_DEVICE)
    way = ways[rng.random() >= HABIT_SHARE]
    return Style(
        way,
        rng.uniform(*_RATE_RANGES[way]),
        rng.uniform(*_EFFORT_RANGES_DB[way]),
        rng.uniform(*_LEVEL_RANGES_DB[way]),
    )


def restyled(text: str, way: str, rng: random.Random) -> str:
    """Return the words as they are said in this way: terse, or with fillers and a loose end."""
    if way == TO_DEVICE:
        changed = _POLITE.sub("", text)
    else:
        words = text.split()
        if rng.random() < _FILLER_SHARE:
            words.insert(rng.randrange(len(words)), rng.choice(_FILLERS))
        if rng.random() < _CONTINUED_SHARE:
            words.append(rng.choice(_CONTINUATIONS))
        changed = " ".join(words)
    return changed if changed and speakable(changed) else text


def punctuated(text: str, rng: random.Random) -> str:
    """Return `text` with a mark at its end, which a natural voice turns into melody.

    The words alone choose it, so that it goes with no class.
    """
    question = _QUESTION.match(text) and rng.random() < _QUESTION_SHARE
    return text + ("?" if question else rng.choices(list(_MARKS), list(_MARKS.values()))[0])


def spoken(text: str, way: str, rng: random.Random) -> str:
    """Return what the synthesizer is given: to a device, a comma makes a clear pause."""
    words = text.split()
    if way != TO_DEVICE or len(words) < 3 or rng.random() >= _PAUSE_SHARE:
        return text
    at = rng.randrange(1, len(words))
    return " ".join(words[:at]) + ", " + " ".join(words[at:])
