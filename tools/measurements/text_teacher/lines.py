"""Lines as training draws them, misheard and with names; with the topics of tests and without."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from training.data.corrupt import Mishearing, bundled_dictionary, read_pronunciations
from training.data.line_draw import LineDraw
from training.data.names import NAMES
from training.data.row import Row, text_key
from training.folds.topic import TOPICS, on_topic, without_topics
from turbo_stream.addressing.name_mark import OWN_NAME

_MISHEARD = 0.4
_SHORT = 3
"""Sentences of fewer words are what everybody says; longer ones that a test says are left out."""


class Drawn(NamedTuple):
    """A line as a recognizer might have heard it."""

    text: str
    """Lower case, without punctuation; the own name is any name, for an encoder knows no mark."""
    label: int


def training_lines(rows: Sequence[Row], tests: Sequence[Row], *, topics: bool) -> list[Row]:
    """Return the lines of text that no test was read from and none says; `tests` may be any rows.

    `topics` False: without those on what any of the tests is about.
    """
    said = {row.key("text") for row in tests} - {None}
    sources = {source for topic in TOPICS.values() for source in topic.sources}
    kept = [
        row
        for row in rows
        if row.collection not in sources
        and (len((row.key("text") or "").split()) < _SHORT or row.key("text") not in said)
    ]
    if topics:
        return kept
    return [row for row, is_on in zip(kept, on_topic(kept, set(TOPICS)), strict=True) if not is_on]


def drawn_lines(
    rows: Sequence[Row], directed: int, count: int, *, topics: bool, seed: int = 7
) -> list[Drawn]:
    """Return `count` lines drawn from `rows` as training draws them, none of them empty."""
    names = NAMES if topics else without_topics(NAMES, set(TOPICS))
    rng = random.Random(seed)
    draw = LineDraw(rows, directed, rng, names)
    texts = [row.text for row in rows if row.text]
    mishear = Mishearing(texts, read_pronunciations(bundled_dictionary()))
    found: list[Drawn] = []
    while len(found) < count:
        line = draw.draw()
        text = line.text
        if rng.random() < _MISHEARD:
            rate = rng.uniform(0.05, 0.6)
            pieces = (mishear(piece, rng, rate=rate) for piece in text.split(OWN_NAME))
            text = f" {OWN_NAME} ".join(pieces)
        if text_key(text.replace(OWN_NAME, "x")):
            name = rng.choice(names)
            found.append(Drawn(text_key(text.replace(OWN_NAME, f" {name} ")), line.label))
    return found
