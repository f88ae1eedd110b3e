"""What a collection is about: the text of it, and all other text on the same subject.

A model that has read the like of a test's sentences is not tested on speech that is new to it, be
every sentence of the test unknown to it. So a pair of collections is left out with its topic.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from training.data.row import Row

_SHARE = 0.2
"""A dialogue goes whole where so many of its lines are on the topic: the answer "two, please" to
"how many sugars?" is on coffee too. Of a meeting that names it once, one line goes."""


@dataclass(frozen=True)
class Topic:
    """What the lines on one subject are known by."""

    words: tuple[str, ...]
    """Any of them, in the line or in the turn before it; `*` stands for any ending."""

    sources: tuple[str, ...] = ()
    """Collections of text that are wholly on it, for the recordings were read from them."""


_COMPUTER = ("computer", "computers")

TOPICS = {
    "coffee_commands": Topic(
        (
            *("coffee*", "latte*", "mocha*", "espresso*", "expresso*", "cappuc*", "capuc*"),
            *("americano*", "macchiato*", "cortado*", "frapp*", "brew*", "decaf*", "roast*"),
            *("iced", "starbucks", "barista*", "sweetener*", "ounce", "ounces"),
            *("machiatto*", "affogato*", "steamer*", "chai", "syrup*", "foam*", "whipped"),
            *("vanilla", "milk", "tea", "teas", "mug", "mugs", "hot chocolate", "double shot"),
            *("cup of", "cups of"),
        ),
        # Taskmaster's turns here are of nothing but orders at a coffee shop, by whatever words.
        sources=("pico_coffee_corpus", "taskmaster_user_turns"),
    ),
    "phone_assistant": Topic(
        (
            *("bus", "buses", "transit", "airport*", "direction", "directions", "waterfront"),
            *("route*", "station*", "driving"),
        )
    ),
    "wake_words": Topic(("alexa", "jarvis", "snowboy", "smart mirror", "view glass", *_COMPUTER)),
    "home_wake_words": Topic(("athena", "amelia", "chatterbox", *_COMPUTER)),
    "alert_words": Topic(
        ("operator*", "wildfire*", "voyager*", "onword", "onward", "engine*", "thinkengine")
    ),
}
"""By collection. Those that are missing here are on everything: talk, and sentences read."""


def _named(collections: Collection[str]) -> re.Pattern[str] | None:
    """Return what the topics of `collections` are named by; None if they have none."""
    words = [word for name in sorted(collections) if name in TOPICS for word in TOPICS[name].words]
    spelled = "|".join(re.escape(word).replace(r"\*", r"\w*") for word in words)
    return re.compile(rf"\b(?:{spelled})\b", re.IGNORECASE) if words else None


def without_topics(names: Iterable[str], collections: Collection[str]) -> tuple[str, ...]:
    """Return those of `names` of devices that the topics of `collections` do not hold."""
    named = _named(collections)
    return tuple(name for name in names if named is None or not named.search(name))


def on_topic(rows: Sequence[Row], collections: Collection[str]) -> list[bool]:
    """Say of each of `rows` whether it is on what one of `collections` is about.

    A row is where its words name it, true or as heard, where the turn before does, where its source
    is wholly on it, or, of a line, where enough others of its dialogue are.
    """
    named = _named(collections)
    if named is None:
        return [False] * len(rows)
    sources = {source for name in collections if name in TOPICS for source in TOPICS[name].sources}
    direct = [
        bool({row.collection, row.text_source} & sources)
        or any(named.search(text) for text in _texts(row))
        for row in rows
    ]
    # Of lines alone: a recording's group is a speaker, who says other things too.
    lines = Counter(row.group for row in rows if row.audio is None)
    naming = Counter(row.group for row, is_on in zip(rows, direct, strict=True) if is_on)
    whole = {group for group, count in lines.items() if naming[group] >= _SHARE * count}
    return [
        is_on or (row.audio is None and row.group in whole)
        for row, is_on in zip(rows, direct, strict=True)
    ]


def _texts(row: Row) -> Iterator[str]:
    yield row.text or ""
    yield row.before
    yield from (heard.text for heard in row.hypotheses)
