"""`turbo-tune threshold`: its options, and what it says."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from turbo_stream._util.timebase import to_samples
from turbo_stream.cli.config_file import config_option_beside
from turbo_stream.cli.options import index_or_name, options
from turbo_stream.cli.output import say
from turbo_stream.cli.wording import tell
from turbo_stream.errors import InputError
from turbo_stream.settings import Settings

if TYPE_CHECKING:
    from turbo_stream.audio.source import Source
    from turbo_stream.pipeline import Models
    from turbo_stream.tuning.hearing import Recording
    from turbo_stream.tuning.threshold import Point, Tuned

_FILE = click.Path(path_type=Path)


@click.command("threshold")
@click.argument("recordings", nargs=-1, type=_FILE, metavar="[RECORDING]...")
@click.option(
    "--per-hour",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="N",
    help="False accepts an hour that are allowed.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    metavar="M",
    help="So long the microphone is listened to, where there are no recordings.",
)
@click.option("--device", metavar="ID", help="Microphone, by index or name.")
@click.option(
    "--commands",
    "command_files",
    multiple=True,
    type=_FILE,
    metavar="FILE",
    help="Recording of commands, of which the missed are counted; repeatable.",
)
@config_option_beside("listen", "serve")
@options(
    Settings,
    "settings",
    without={"show_rejected", "partials", "voices", "household_only"},
)
@click.option(
    "--write", "written", type=_FILE, metavar="CONFIG", help="TOML file whose threshold is set."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def threshold(
    recordings: tuple[Path, ...],
    *,
    per_hour: float,
    minutes: float,
    device: str | None,
    command_files: tuple[Path, ...],
    settings: Settings,
    written: Path | None,
    as_json: bool,
) -> None:
    """Find the lowest threshold with at most N false accepts an hour, in your own room.

    RECORDINGs are sound files in which nobody speaks to the device: television, talk. Without one
    the microphone is listened to. Ends with status 1 if no threshold is high enough.
    """
    from turbo_stream.audio.file import FileSource
    from turbo_stream.audio.open import open_source
    from turbo_stream.pipeline import Models
    from turbo_stream.tuning.limited import Limited
    from turbo_stream.tuning.threshold import Deciding, tune

    # Opened before the models, so that a wrong file name is told at once.
    files = [FileSource(path) for path in recordings]
    of_commands = [FileSource(path) for path in command_files]
    microphone = None
    if not files:
        microphone = Limited(open_source(device=index_or_name(device)), to_samples(60 * minutes))
    models = Models.load(replace(settings, partials=False), say=_say)
    now = models.threshold()
    models, deciding = Deciding.with_lowest(models)
    if microphone is None:
        room = _heard(models, list(zip(recordings, files, strict=True)))
    else:
        _say(f"listening for {minutes:g} min; nobody speaks to the device; Ctrl-C ends it sooner")
        _on_interrupt(microphone.close)
        room = [_hear(models, microphone, "microphone")]
    if not sum(one.heard_s for one in room):
        raise InputError("no sound was heard; give recordings of the room, or listen longer")
    commands = _heard(models, list(zip(command_files, of_commands, strict=True)))
    tuned = tune(deciding, room, commands, per_hour=per_hour, now=now)
    if as_json:
        print(json.dumps(tuned.to_json(), indent=2))
    else:
        _show(tuned)
    if tuned.chosen is None:
        raise click.exceptions.Exit(1)
    if written is not None:
        from turbo_stream.tuning.toml_key import set_number

        found = tuned.chosen.threshold
        set_number(written, "threshold", found, instead_of=("operating-point",))
        _say(f"{written}: threshold = {found!r}")


def _heard(models: Models, sources: list[tuple[Path, Source]]) -> list[Recording]:
    found = []
    for path, source in sources:
        found.append(_hear(models, source, str(path)))
        if not found[-1].utterances:
            _say(f"{path}: no speech was found in it")
    return found


def _hear(models: Models, source: Source, name: str) -> Recording:
    from turbo_stream.tuning.hearing import hear

    told = 0

    def progress(so_far_s: float, utterances: int) -> None:
        nonlocal told
        if so_far_s >= told + 300:
            told = int(so_far_s // 300) * 300
            _say(f"{name}: {told // 60} min heard, {utterances} utterances")

    return hear(models, source, progress)


def _show(tuned: Tuned) -> None:
    from turbo_stream.cli.threshold_words import minutes, too_short, verdict

    mode = tuned.deciding.addressing.mode
    said = sum(len(one.utterances) for one in tuned.room)
    say(f"{minutes(tuned.hours)} heard, {said} utterances, address {mode}")
    dropped = sum(one.dropped for one in tuned.room)
    if dropped:
        say(f"{dropped} more were dropped: too short, broken off, or too many at once")
    points = tuned.trade_off()
    with_commands = points[0].missed is not None
    heading = f"{'threshold':>9}  {'false accepts':>13}  {'an hour':>8}  {'at most':>8}"
    say(heading + ("  missed commands" if with_commands else ""))
    for point in points:
        line = (
            f"{point.threshold:9.4f}  {point.false_accepts:13}  {point.per_hour:8.1f}  "
            f"{point.at_most_per_hour:8.1f}"
        )
        if point.missed is not None:
            line += f"  {point.missed} of {point.commands} ({point.missed / point.commands:.0%})"
        say(line + _marks(point, tuned))
    say(verdict(tuned))
    if (warning := too_short(tuned)) is not None:
        say(warning)


def _marks(point: Point, tuned: Tuned) -> str:
    marks = []
    if point.threshold == tuned.now:
        marks.append("now")
    if tuned.chosen is not None and point.threshold == tuned.chosen.threshold:
        marks.append("chosen")
    return f"  <- {', '.join(marks)}" if marks else ""


def _on_interrupt(act: Callable[[], None]) -> None:
    """Let Ctrl-C end the sound, not the command."""

    def handle(signum: int, frame: FrameType | None) -> None:
        act()

    signal.signal(signal.SIGINT, handle)


def _say(text: str) -> None:
    tell(threshold, text, program="turbo-tune")
