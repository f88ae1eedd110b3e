"""What the device is called: names drawn at random around a line of text.

"Friday" alone is a call to one device and a weekday to another, so a model that knows the name
has to be taught both: called out, merely mentioned, another device's name, and no name at all.
"""

import random
from collections.abc import Sequence
from typing import NamedTuple

# fmt: off
NAMES = (
    "alexa", "siri", "jarvis", "computer", "friday", "athena", "amelia", "jasper", "nova", "luna",
    "echo", "max", "sam", "ruby", "robin", "charlie", "daisy", "hazel", "milo", "oscar", "phoebe",
    "victor", "wanda", "iris", "felix", "atlas", "orion", "juno", "pepper", "ginger", "sunny",
    "river", "sky", "summer", "april", "june", "may", "august", "rose", "lily", "grace", "hope",
    "joy", "faith", "angel", "chance", "scout", "ace", "ziggy", "mycroft", "hal", "sage",
    "willow", "aria", "leo", "kitt", "bixby", "cortana", "house", "home", "kitchen", "butler",
    "assistant", "robot", "speaker", "genie", "buddy", "operator", "voyager", "wildfire", "raven",
    "phoenix", "shadow", "tiger", "bumblebee", "snowboy", "porcupine", "grasshopper",
    "terminator", "americano", "blueberry", "picovoice", "anna", "emma", "oliver", "sophie",
    "henry", "alice", "lucy", "george", "martha", "walter", "edith", "arthur", "clara", "hugo",
    "nina", "bruno",
)
# fmt: on

# fmt: off
_PARTS = (
    ("story", "teller"), ("moon", "light"), ("night", "owl"), ("book", "worm"), ("sun", "flower"),
    ("home", "helper"), ("smart", "box"), ("fire", "fly"), ("rain", "bow"), ("butter", "fly"),
    ("green", "house"), ("snow", "man"), ("data", "base"), ("talk", "back"), ("house", "keeper"),
    ("mirror", "man"), ("glass", "eye"), ("think", "tank"), ("space", "ship"), ("key", "board"),
)
# fmt: on
"""Names that a recognizer writes as one word or as two."""

_CALLS = (
    "{name} {text}",
    "{name} {text}",
    "hey {name} {text}",
    "ok {name} {text}",
    "hello {name} {text}",
    "{text} {name}",
    "{name} please {text}",
)
_ALONE = ("{name}", "hey {name}", "ok {name}", "hello {name}", "{name} are you there")
_MENTIONS = (
    "i asked {name} yesterday",
    "{name} never understands me",
    "we bought {name} last year",
    "i think {name} is wrong again",
    "did you hear what {name} said",
    "the {name} was on the table",
    "my sister talks to {name} all day",
    "he said {name} and then he left",
    "i saw {name} at the shop",
    "{name} is coming over for dinner",
    "let's do it on {name} then",
    "that's what {name} told me",
    "it's called {name} i believe",
    "they have a {name} in every room",
    "i don't like {name} very much",
    "you know {name} don't you",
)

_STANDS_FOR = ("he", "she", "it", "they", "that", "this", "him", "her", "them", "someone")
"""Words whose place a name can take."""


class Named(NamedTuple):
    """A line of text with the names of the device that hears it."""

    names: tuple[str, ...]
    text: str
    label: int


def _mention(line: str, name: str, rng: random.Random) -> str:
    """Let somebody mention `name` in passing: in a sentence of its own, or within `line`.

    A name can begin such a line ("friday was a good day") as it begins a command, so that its
    place alone tells nothing.
    """
    words = line.split()
    if rng.random() < 0.4 or len(words) < 3:
        return rng.choice(_MENTIONS).format(name=name)
    places = [i for i, word in enumerate(words) if word.strip(",.?!").lower() in _STANDS_FOR]
    words[rng.choice(places or range(1, len(words)))] = name
    return " ".join(words)


def _spelled(rng: random.Random) -> tuple[str, str]:
    """Return a name as the device has it and as a recognizer might write it."""
    if rng.random() < 0.85:
        name = rng.choice(NAMES)
        return name, name
    parts = rng.choice(_PARTS)
    return rng.choice(("", " ")).join(parts), rng.choice(("", " ")).join(parts)


def draw_named(text: str, label: int, rng: random.Random, *, directed: int) -> Named:
    """Put a random device around `text`, whose own label is `label`; `directed` is the class."""
    draw = rng.random()
    own, name = _spelled(rng)
    names = (own,) if rng.random() < 0.8 else tuple(rng.sample([own, rng.choice(NAMES)], 2))
    other = rng.choice([item for item in NAMES if item not in names])
    if draw < 0.45:
        return Named((), text, label)
    if label == directed:
        if draw < 0.58:
            return Named(names, rng.choice(_CALLS).format(name=name, text=text), label)
        if draw < 0.63:  # the device is not told its name, and is called by one
            return Named((), rng.choice(_CALLS).format(name=name, text=text), label)
        if draw < 0.71:
            return Named(names, rng.choice(_ALONE).format(name=name), label)
        if draw < 0.88:
            return Named(names, text, label)
        if draw < 0.97:
            wrong = rng.choice(_CALLS).format(name=other, text=text)
            return Named(names, wrong, 1 - label)
        return Named(names, rng.choice(_ALONE).format(name=other), 1 - label)
    if draw < 0.66:
        return Named(names, _mention(text, name, rng), label)
    if draw < 0.70:
        return Named(names, f"{text} {rng.choice(_MENTIONS).format(name=name)}", label)
    if draw < 0.78:  # somebody else is spoken to
        return Named(names, rng.choice(_CALLS).format(name=other, text=text), label)
    return Named(names, text, label)


def directed_class(labels: Sequence[str]) -> int | None:
    """Return the class of speech to the device; None where the labels tell something else."""
    return labels.index("directed") if set(labels) == {"directed", "not_directed"} else None
