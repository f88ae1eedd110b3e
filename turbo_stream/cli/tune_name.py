"""`turbo-tune name`: its options, and what it says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import click

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import to_samples
from turbo_stream.cli.config_file import config_option_beside
from turbo_stream.cli.options import index_or_name, options
from turbo_stream.cli.output import say
from turbo_stream.cli.user_folder import user_folder
from turbo_stream.cli.wording import tell
from turbo_stream.errors import InputError
from turbo_stream.settings import Settings

_FILE = click.Path(path_type=Path)

_TIMES = 5
_LONGEST_S = 60.0
"""The microphone is not listened to for longer."""


@click.command("name")
@click.argument("called", metavar="NAME")
@click.argument("recordings", nargs=-1, type=_FILE, metavar="[RECORDING]...")
@click.option("--device", metavar="ID", help="Microphone, by index or name.")
@config_option_beside("listen", "serve")
@options(Settings, "settings", only={"asr", "language", "model", "vad"})
@click.option(
    "--out",
    type=_FILE,
    metavar="FILE",
    help="File of what was learned.  [default: NAME.json in the user's folder of settings]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def name(
    called: str,
    recordings: tuple[Path, ...],
    *,
    device: str | None,
    settings: Settings,
    out: Path | None,
    as_json: bool,
) -> None:
    """Try NAME with your own voice, and learn how the recognizer writes it.

    RECORDINGs are sound files in which nothing but NAME is said. Without one you say it five times
    to the microphone. What is learned is written where it helps, and given to turbo-listen with
    --taught.
    """
    from turbo_stream.audio.file import FileSource
    from turbo_stream.audio.open import open_source
    from turbo_stream.deciding.second_reading import can_expect
    from turbo_stream.pipeline import Models
    from turbo_stream.recognition.recognizer import NoRecognizer
    from turbo_stream.tuning.lesson import learn
    from turbo_stream.tuning.limited import Limited
    from turbo_stream.tuning.sayings import hear_sayings

    settings = replace(settings, names=(called,), partials=False)
    path = _default(called) if out is None else out
    # Opened before the models, so that a wrong file name is told at once.
    files = [FileSource(path) for path in recordings]
    microphone = None
    if not files:
        microphone = Limited(open_source(device=index_or_name(device)), to_samples(_LONGEST_S))
    models = Models.load(settings, say=_say)
    if isinstance(models.recognizer, NoRecognizer):
        raise InputError("without a recognizer no name is heard: choose an `asr`")
    if microphone is None:
        sayings = [one for file in files for one in hear_sayings(models, file, called)]
    else:
        _say(f"say {called} (1 of {_TIMES})")
        sayings = hear_sayings(models, microphone, called, most=_TIMES, progress=_prompt)
    lesson = learn(
        called,
        sayings,
        asr=models.recognizer.name,
        reads_again=can_expect(models.recognizer),
    )
    if lesson.helps:
        lesson.taught.write(path)
    if as_json:
        print(json.dumps({**lesson.to_json(), "file": str(path) if lesson.helps else None}))
        return
    say(f"{called}: {lesson.before} of {lesson.sayings} found as it is spelled")
    if lesson.helps:
        say(f"{lesson.after} of {lesson.sayings} found by what the other sayings teach")
        say(f"turbo-listen --name {called} --taught {path}")
    elif lesson.before == lesson.sayings:
        say("nothing needs to be learned, and nothing was written")
    else:
        say("the sayings teach nothing that finds more of them, and nothing was written")
    for line in lesson.advice:
        say(line)


def _prompt(count: int) -> None:
    if count < _TIMES:
        _say(f"heard; once more ({count + 1} of {_TIMES})")
    else:
        _say("heard; that is all")


def _default(called: str) -> Path:
    """Return where what is learned of a name is kept for this user."""
    plain = re.sub(r"[^\w-]+", "-", called.lower()).strip("-_") or "name"
    return user_folder() / "names" / f"{plain}.json"


def _say(text: str) -> None:
    tell(name, shown(text), program="turbo-tune")
