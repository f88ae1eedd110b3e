"""What the device is called: names placed at random in a line of text.

The own name is a mark (`OWN_NAME`), whatever it is, so a model has to be taught how it is called
and how it is merely mentioned, and that it is often not recognized: then it is any word.
"""

import random
from collections.abc import Sequence

from turbo_stream.addressing.name_mark import OWN_NAME

# fmt: off
NAMES: tuple[str, ...] = (
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
PEOPLE = (
    "anna", "ben", "carla", "dad", "daniel", "dear", "doctor", "eva", "frank", "grandma", "honey",
    "ivan", "jenny", "kids", "laura", "maria", "martin", "mike", "mom", "mum", "nadia", "olga",
    "paul", "peter", "sarah", "sir", "tom", "uncle", "yusuf", "zoe",
)
# fmt: on
"""Whom people call instead of the device."""

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


PLACE = "{name}"
"""Where a line that was written for it has the device's name."""

_UNKNOWN_SHARE = 0.3
"""Of the names in lines: those that the device is not told, or that its recognizer misheard."""

_CALLED_SHARE, _ALONE_SHARE, _MENTIONED_SHARE, _OTHERS_SHARE = 0.14, 0.03, 0.14, 0.04


def placed_name(
    text: str, rng: random.Random, names: Sequence[str] = NAMES, *, called: bool
) -> str:
    """Return `text` with the device's name, its own or one of `names`, or most often as it is.

    `called`: it is spoken to the device, which is then called by name; else somebody mentions the
    name, or calls a person by another.
    """
    name = rng.choice(names) if rng.random() < _UNKNOWN_SHARE else OWN_NAME
    if PLACE in text:
        return text.replace(PLACE, name)
    draw = rng.random()
    if called:
        if draw < _CALLED_SHARE:
            return rng.choice(_CALLS).format(name=name, text=text)
        if draw < _CALLED_SHARE + _ALONE_SHARE:
            return rng.choice(_ALONE).format(name=name)
        return text
    if draw < _MENTIONED_SHARE:
        return _mention(text, name, rng)
    if draw < _MENTIONED_SHARE + _OTHERS_SHARE:  # somebody else is spoken to
        return rng.choice(_CALLS).format(name=rng.choice(PEOPLE), text=text)
    return text


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


def directed_class(labels: Sequence[str]) -> int | None:
    """Return the class of speech to the device; None where the labels tell something else."""
    return labels.index("directed") if set(labels) == {"directed", "not_directed"} else None
