"""Sentences that call a device by name, mention the name, or only sound like it.

python -m tools.measurements.addressing.sentences > sentences.jsonl

Rows of `text`, `label`, `set`, `device_name` and `place`, for any speech synthesis to say; with
`audio_filepath` and `duration` added they are a manifest for the recorder.
"""

import json
import random
import sys
from collections.abc import Iterator

import click

from turbo_stream.cli.command import run_command

COMMANDS = (
    "turn on the kitchen lights",
    "what time is it",
    "set a timer for ten minutes",
    "play some music",
    "close the blinds in the bedroom",
    "what's the weather like tomorrow",
    "stop",
    "turn the volume down",
    "is the front door locked",
    "add milk to the shopping list",
    "make me a coffee",
    "call my brother",
    "how long is the drive to work",
    "good night",
    "remind me to water the plants at six",
    "start the vacuum cleaner",
    "what's on my calendar today",
    "turn off everything downstairs",
    "can you make it a bit warmer in here",
    "next song",
)

CALLS = {
    "front": "{Name}, {command}.",
    "end": "{Command}, {Name}.",
    "hey": "Hey {Name}, {command}.",
}

MENTIONS = {
    "told": (
        "I told {Name} to turn off the lights.",
        "She asked {Name} what time it was.",
        "Did you tell {Name} to play some music?",
        "He always talks to {Name} when he is cooking.",
        "We never use {Name} in the evening.",
        "You should say hello to {Name} when you get home.",
    ),
    "about": (
        "There was a long article about {Name} in the paper.",
        "I don't know what I would do without {Name}.",
        "They have been waiting for {Name} since the summer.",
        "My sister bought the new {Name} for her kitchen.",
        "That was the first thing I heard of {Name}.",
        "I read the whole story of {Name} to the children.",
    ),
    "subject": (
        "{Name} was much better last year.",
        "{Name} didn't understand a word of it.",
        "{Name} has never been my favorite.",
        "{Name} said it would rain, and it was sunny.",
        "{Name} and I had a long talk about it.",
        "{Name} is the one that my parents liked best.",
    ),
}

NEAR = {
    "friday": ("fried egg", "five day", "Frida", "freight day", "fire drill", "bright day"),
    "computer": ("commuter", "competitor", "come pewter", "compute it", "contributor", "commoner"),
    "jarvis": ("harvest", "service", "Travis", "jar of this", "Marvin", "carvers"),
    "nimbo": ("limbo", "nimble", "Nemo", "bimbo", "Nimrod", "in a bowl"),
    "quillow": ("pillow", "willow", "quill", "quiet low", "quarrel", "Camilo"),
}
"""Six phrases that sound like each name; its keys are the names."""

NEAR_SENTENCES = ("{Near}, {command}.", "The {near} is over there.")


def rows(seed: int = 1, calls: int = 14, mentions: int = 4) -> Iterator[dict[str, str]]:
    """Yield the sentences: so many of each way to call and to mention, and all near ones."""
    rng = random.Random(seed)
    for name, alike in NEAR.items():
        for place, pattern in CALLS.items():
            for command in rng.sample(COMMANDS, calls):
                yield _row("built_calls", name, place, _filled(pattern, name, command))
        for place, patterns in MENTIONS.items():
            for pattern in rng.sample(patterns, mentions):
                yield _row("built_mentions", name, place, _filled(pattern, name))
        for near in alike:
            for place, pattern in zip(("called", "spoken of"), NEAR_SENTENCES, strict=True):
                text = _filled(pattern, near, rng.choice(COMMANDS))
                yield _row("built_near", name, place, text)


def _filled(pattern: str, name: str, command: str = "") -> str:
    capital = command[:1].upper() + command[1:]
    title = name[:1].upper() + name[1:]
    return pattern.format(
        Name=title, Near=title, near=name.lower(), command=command, Command=capital
    )


def _row(name_of_set: str, name: str, place: str, text: str) -> dict[str, str]:
    label = "directed" if name_of_set == "built_calls" else "not_directed"
    return {
        "set": name_of_set,
        "label": label,
        "device_name": name,
        "place": place,
        "text": text,
    }


@click.command("tools.measurements.addressing.sentences", help=__doc__)
@click.option("--seed", default=1, show_default=True)
def main(seed: int) -> None:
    """Print the sentences."""
    for row in rows(seed):
        print(json.dumps(row))


if __name__ == "__main__":
    sys.exit(run_command(main))
