"""`turbo-tune list`, `export`, `undo` and `forget`: what a person can do with the corrections."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from turbo_stream._util.probability import shifted
from turbo_stream.cli.asking import forget_file
from turbo_stream.cli.output import say
from turbo_stream.errors import InputError

_FILE = click.Path(path_type=Path)


@click.command("list")
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(file: Path, *, as_json: bool) -> None:
    """Show what FILE was taught: when, by what, and how the model had scored it."""
    from turbo_stream.learning.example_file import ExampleFile, counted

    read = ExampleFile.read(file)
    model, (directed, other) = read.model, read.counts
    rows = [
        {
            "id": key,
            "day": f"{datetime.fromtimestamp(one.time_s, UTC):%Y-%m-%d}",
            "directed": one.directed,
            "origin": one.origin,
            "weight": one.weight,
            "score_as_shipped": round(shifted(0.5, one.vectors.logit), 4),
        }
        for key, one in read.examples.items()
    ]
    if as_json:
        counts = {"directed": directed, "other": other}
        print(json.dumps({"model": model.to_json(), **counts, "examples": rows}, indent=2))
        return
    say(f"{model.name} {model.version}: {counted(directed, other)}")
    for row in rows:
        kind = "for the device" if row["directed"] else "not for it"
        guess = "" if row["weight"] == 1 else f", counts {row['weight']:g}"
        say(f"{row['day']}  {kind:14}  {row['score_as_shipped']:.2f}  {row['origin']}{guess}")


@click.command("export")
@click.argument("file", type=_FILE)
@click.argument("out", type=_FILE)
def export(file: Path, out: Path) -> None:
    """Write all that FILE holds to OUT, as plain JSON: each vector as its numbers."""
    from turbo_stream._util.files import write_private
    from turbo_stream.learning.example_file import ExampleFile

    body = ExampleFile.read(file).to_plain_json()
    if out.exists():
        raise InputError(f"{out} is there already; give another name")
    try:
        write_private(out, (json.dumps(body, indent=1) + "\n").encode())
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{out} cannot be written ({reason}); give another name") from error
    say(f"{len(body['examples'])} corrections written to {out}")


@click.command("undo")
@click.argument("file", type=_FILE)
def undo(file: Path) -> None:
    """Take the last correction back, or the whole of a guided session if that was the last."""
    from turbo_stream._util.shared_file import alone_with
    from turbo_stream.learning.example_file import ExampleFile, counted

    with alone_with(file):
        left = ExampleFile.read(file).without_last()
        left.write(file)
    say(f"undone; {counted(*left.counts)} are left")


@click.command("forget")
@click.argument("file", type=_FILE)
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(file: Path, *, yes: bool) -> None:
    """Erase FILE and all that was learned; whatever runs with it goes on as shipped."""
    from turbo_stream.learning.example_file import FILES, ExampleFile

    forget_file(file, FILES, lambda: f"{len(ExampleFile.read(file).examples)} corrections", yes=yes)
