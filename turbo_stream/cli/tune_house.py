"""`turbo-tune house`: a guided session, its options, and what it says."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from turbo_stream._util.timebase import to_samples
from turbo_stream.cli.config_file import config_option_beside
from turbo_stream.cli.options import index_or_name, options
from turbo_stream.cli.output import say
from turbo_stream.cli.wording import tell
from turbo_stream.errors import InputError
from turbo_stream.settings import Settings

if TYPE_CHECKING:
    from turbo_stream.learning.learner import Learned
    from turbo_stream.pipeline import Models
    from turbo_stream.tuning.house import Heard, House, Wrong
    from turbo_stream.tuning.threshold import Tuned

_FILE = click.Path(path_type=Path)

_LONGEST_S = 600.0
"""No part is listened to for longer."""


@dataclass(frozen=True)
class _Part:
    """One part of the session at the microphone."""

    directed: bool
    wish: str
    most: int
    """Utterances that end it."""


_PARTS = (
    _Part(True, "say ten things you would say to the device, with a pause after each", 10),
    _Part(False, "now talk to somebody, or read aloud, as if the device was not there", 10),
    _Part(False, "now let the television run, or whatever talks in this room", 20),
)


@click.command("house")
@click.argument("file", type=_FILE)
@click.option(
    "--directed",
    "directed_files",
    multiple=True,
    type=_FILE,
    metavar="RECORDING",
    help="Sound file in which all speech is meant for the device; repeatable.",
)
@click.option(
    "--other",
    "other_files",
    multiple=True,
    type=_FILE,
    metavar="RECORDING",
    help="Sound file in which no speech is meant for the device; repeatable.",
)
@click.option("--device", metavar="ID", help="Microphone, by index or name.")
@click.option(
    "--per-hour",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="N",
    help="False accepts an hour that are allowed.",
)
@config_option_beside("listen", "serve")
@options(
    Settings,
    "settings",
    without={"show_rejected", "partials", "learn", "voices", "household_only"},
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def house(
    file: Path,
    *,
    directed_files: tuple[Path, ...],
    other_files: tuple[Path, ...],
    device: str | None,
    per_hour: float,
    settings: Settings,
    as_json: bool,
) -> None:
    """Teach the device its house: ten things said to it, some talk, some television.

    What was heard is kept in FILE, as vectors: no sound and no words. It ends with how often the
    model was wrong before, and after, and a threshold. Without recordings the microphone is
    listened to.
    """
    from turbo_stream._util.shared_file import alone_with
    from turbo_stream.audio.file import FileSource
    from turbo_stream.audio.open import open_source
    from turbo_stream.deciding.learner_of_models import learner_of_models
    from turbo_stream.pipeline import Models
    from turbo_stream.tuning.house import House, hear_part
    from turbo_stream.tuning.threshold import Deciding, tune

    if bool(directed_files) != bool(other_files):
        raise InputError("speech of both kinds is needed: give `directed_files` and `other_files`")
    # Opened before the models, so that a wrong file name is told at once.
    files = [[FileSource(path) for path in paths] for paths in (directed_files, other_files)]
    if not directed_files:
        open_source(device=index_or_name(device)).close()
    models = Models.load(replace(settings, partials=False), say=_say)
    learner = learner_of_models(file, models.package, None)
    assert learner is not None  # there is a file
    with alone_with(file):
        pass  # whether it can be written is told before anybody speaks
    now = models.threshold()
    models, deciding = Deciding.with_lowest(models)
    heard: dict[bool, list[Heard]] = {True: [], False: []}
    if directed_files:
        for kind, sources in zip((True, False), files, strict=True):
            heard[kind] = [hear_part(models, source) for source in sources]
    else:
        for part in _PARTS:
            heard[part.directed].append(_guided(models, part, device))
    found = House.of(
        heard[True],
        heard[False],
        deciding,
        now,
        learner.kernel,
        learner.file.examples.values(),
    )
    if not found.examples:
        raise InputError("no speech was heard, and nothing was learned; see what was recorded")
    learned = learner.add(found.examples)
    tuned = None
    if any(one.recording.heard_s for one in found.other):
        used = learned.state == "used" and found.enough
        room = found.room(learned=used)
        commands = found.commands() if used else [one.recording for one in found.directed]
        tuned = tune(deciding, room, commands, per_hour=per_hour, now=now)
    if as_json:
        print(json.dumps(_as_json(found, learned, tuned), indent=2))
    else:
        _show(found, learned, tuned)
        say(f"turbo-listen --learn {file}")


def _guided(models: Models, part: _Part, device: str | None) -> Heard:
    from turbo_stream.audio.open import open_source
    from turbo_stream.cli.terminal_keys import TerminalKeys, keys_are_there
    from turbo_stream.tuning.house import hear_part
    from turbo_stream.tuning.limited import Limited

    source = Limited(open_source(device=index_or_name(device)), to_samples(_LONGEST_S))
    with_keys = keys_are_there()
    _say(f"{part.wish}{' (Enter ends this part)' if with_keys else ''}")

    def progress(count: int) -> None:
        _say(f"heard {count} of {part.most}")
        if count >= part.most:
            source.close()

    def press(key: str) -> None:
        if key == "\n":
            source.close()

    with TerminalKeys(press) if with_keys else nullcontext():
        return hear_part(models, source, progress)


def _show(found: House, learned: Learned, tuned: Tuned | None) -> None:
    from turbo_stream.cli.threshold_words import too_short, verdict
    from turbo_stream.tuning.house import FEWEST, by_chance

    if found.enough:
        before, after = found.before(), found.after()
        say(f"as shipped: {_in_words(before)}")
        say(f"learned:    {_in_words(after)}")
        say("each was judged by what the others teach, said in the same session")
        if by_chance(before, after) > 0.05:
            say("so few say little: that much may be chance; correct more as you go on")
    else:
        say(f"too few to say anything: {FEWEST} of either kind are needed")
    say(str(learned))
    if tuned is not None:
        say(verdict(tuned))
        if (warning := too_short(tuned)) is not None:
            say(warning)


def _in_words(wrong: Wrong) -> str:
    low, high = wrong.within
    return (
        f"{wrong.count} of {wrong.of} wrong ({wrong.count / wrong.of:.0%}; 95 %: {low:.0%} to "
        f"{high:.0%}); {sum(wrong.missed)} of {len(wrong.missed)} for the device rejected, "
        f"{sum(wrong.accepted)} of {len(wrong.accepted)} others accepted"
    )


def _as_json(found: House, learned: Learned, tuned: Tuned | None) -> dict[str, Any]:
    from turbo_stream.tuning.house import by_chance

    told: dict[str, Any] = {"learned": learned.to_json(), "before": None, "after": None}
    if found.enough:
        before, after = found.before(), found.after()
        told |= {"before": before.to_json(), "after": after.to_json()}
        told["by_chance"] = round(by_chance(before, after), 4)
    return {**told, "threshold": None if tuned is None else tuned.to_json()}


def _say(text: str) -> None:
    tell(house, text, program="turbo-tune")
