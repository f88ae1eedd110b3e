"""`turbo-tune voice`: the voices that a house knows, each by the consent of whose it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import to_samples
from turbo_stream.cli.asking import ask, forget_file
from turbo_stream.cli.options import index_or_name, options
from turbo_stream.cli.output import say
from turbo_stream.cli.user_folder import user_folder
from turbo_stream.cli.wording import tell
from turbo_stream.settings import Settings

_FILE = click.Path(path_type=Path)

_TIMES = 5
_LONGEST_S = 120.0
"""The microphone is not listened to for longer."""

_CONSENT = """\
What {file} will hold of {name}: the name, today's date, and for each utterance a list of 256
numbers that say how {name} sounds. No sound and no words are kept or sent. Whoever has the file can
tell whether a recording is of {name}; it is a biometric. turbo-listen and turbo-serve, where they
are given the file, write {name} beside the words of what they accept.
turbo-tune voice remove takes it out at any time."""

_file = click.option(
    "--voices",
    "file",
    type=_FILE,
    metavar="FILE",
    help="File of the voices.  [default: voices.json in the user's folder of settings]",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group("voice")
def voice() -> None:
    """Keep the voices of those who agree to it: how they sound, as numbers, no sound and no words.

    turbo-listen --voices FILE then tells whose accepted speech was.
    """


@voice.command("add")
@click.argument("name")
@click.argument("recordings", nargs=-1, type=_FILE, metavar="[RECORDING]...")
@click.option("--device", metavar="ID", help="Microphone, by index or name.")
@_file
@options(Settings, "settings", only={"vad"})
@click.option("--yes", is_flag=True, help="Do not ask: NAME has agreed.")
@_json
def add(
    name: str,
    recordings: tuple[Path, ...],
    *,
    device: str | None,
    file: Path | None,
    settings: Settings,
    yes: bool,
    as_json: bool,
) -> None:
    """Add the voice of NAME, who agrees to it, or more of a voice that is known.

    RECORDINGs are sound files in which nobody but NAME speaks. Without one NAME says five sentences
    to the microphone.
    """
    from dataclasses import replace

    from turbo_stream._util.shared_file import alone_with
    from turbo_stream.audio.file import FileSource
    from turbo_stream.audio.open import open_source
    from turbo_stream.pipeline import Models
    from turbo_stream.tuning.enrolment import Enrolment, hear_voice
    from turbo_stream.tuning.limited import Limited
    from turbo_stream.voices.encoder import SHA256, VoiceEncoder
    from turbo_stream.voices.voice_file import VoiceFile, change, checked_name

    name, path = checked_name(name), _path(file)
    if path.exists():
        VoiceFile.read(path).check(path, SHA256)
    # Opened before anybody is asked, so that a wrong file name is told at once.
    files = [FileSource(one) for one in recordings]
    if not files:
        open_source(device=index_or_name(device)).close()
    _make_folder(path)
    alone_with(path).close()  # whether it can be written is told before anybody speaks
    _agree(name, path, yes)
    models = Models.load(replace(settings, asr="none", partials=False), say=lambda line: None)
    encoder = VoiceEncoder()
    encoder.warm_up()
    if files:
        vectors = [one for each in files for one in hear_voice(models, each, encoder)]
    else:
        source = Limited(open_source(device=index_or_name(device)), to_samples(_LONGEST_S))
        _tell(f"{name} says a sentence, two seconds or longer (1 of {_TIMES})")
        vectors = hear_voice(models, source, encoder, most=_TIMES, progress=_prompt)
    made = Enrolment.of(vectors)
    known = change(path, {name: made.voice}, SHA256)
    if as_json:
        counts = {"utterances": len(made.voice.vectors), "left_out": made.left_out}
        print(json.dumps({"name": name, **counts, "file": str(path), "known": [*known.voices]}))
        return
    say(f"{name} is known by {len(made.voice.vectors)} utterances")
    if made.left_out:
        say(f"{made.left_out} left out: they sound like somebody else than the others do")
    say(f"turbo-listen --voices {path}")


@voice.command("list")
@_file
@_json
def list_(file: Path | None, *, as_json: bool) -> None:
    """Show who is known, since when, and by how many utterances."""
    from turbo_stream.voices.voice_file import VoiceFile

    voices = VoiceFile.read(_path(file)).voices
    if as_json:
        rows = [
            {"name": name, "added": one.added, "utterances": len(one.vectors)}
            for name, one in voices.items()
        ]
        print(json.dumps({"voices": rows}, indent=2))
        return
    for name, one in voices.items():
        say(f"{one.added}  {len(one.vectors):2} utterances  {name}")
    if not voices:
        say("nobody is known")


@voice.command("remove")
@click.argument("name")
@_file
def remove(name: str, *, file: Path | None) -> None:
    """Take the voice of NAME out of the file; whatever runs with it knows it no longer."""
    from turbo_stream.voices import voice_file

    left = voice_file.remove(_path(file), name)
    say(f"{name} is not known any more; known: {', '.join(left.voices) or 'nobody'}")


@voice.command("forget")
@_file
@_yes
def forget(file: Path | None, *, yes: bool) -> None:
    """Erase the file with all voices; whatever runs with it knows nobody."""
    from turbo_stream.voices.voice_file import FILES, VoiceFile

    path = _path(file)
    forget_file(path, FILES, lambda: f"{len(VoiceFile.read(path).voices)} voices", yes=yes)


def _agree(name: str, path: Path, yes: bool) -> None:
    asked = _CONSENT.format(file=shown(path), name=shown(name))
    print(asked, file=sys.stderr, flush=True)
    if not yes:
        ask(f"{name}, do you agree?", "nobody can be asked here; give `yes` where NAME has agreed")


def _path(file: Path | None) -> Path:
    return user_folder() / "voices.json" if file is None else file


def _make_folder(path: Path) -> None:
    if path == _path(None):
        path.parent.mkdir(parents=True, exist_ok=True)


def _prompt(count: int) -> None:
    if count < _TIMES:
        _tell(f"{count} of {_TIMES} heard; another sentence")
    else:
        _tell("heard; that is all")


def _tell(text: str) -> None:
    tell(add, text, program="turbo-tune")
