"""`turbo-models`: the models on this machine, and how to get more."""

import json
import sys
from pathlib import Path

import click

import turbo_stream
from turbo_stream._util.shown import shown
from turbo_stream.cli.command import run_command
from turbo_stream.cli.output import say, say_path
from turbo_stream.errors import InputError
from turbo_stream.inventory.listing import MOONSHINE, Model, list_models, model_in
from turbo_stream.inventory.verification import verify as verify_model


@click.group(
    "turbo-models", context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False
)
@click.version_option(turbo_stream.__version__, prog_name="turbo-models")
def models() -> None:
    """Turbo packages and models of recognizers: what is here, getting more, checking them."""


@models.command("list")
@click.argument("folders", nargs=-1, type=click.Path(path_type=Path), metavar="[FOLDER]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_command(folders: tuple[Path, ...], as_json: bool) -> None:
    """List the models that are here, and those that can be had by name.

    FOLDERs with models of their own are listed, too. Nothing is downloaded.
    """
    found = list_models(folders)
    if as_json:
        print(json.dumps([model.to_json() for model in found], indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for column in ("kind", "name", "size", "state"):
        table.add_column(column, no_wrap=True, justify="right" if column == "size" else "left")
    table.add_column("detail", overflow="fold")
    for model in found:
        if model.state != "absent":
            detail = model.detail if model.state == "incomplete" else f"{model.detail} {model.path}"
            style = "red" if model.state == "incomplete" else None
            row = (model.kind, model.name, _size(model), model.state, detail.strip())
            # As `Text`: a name may hold what rich takes for markup.
            table.add_row(*(Text(shown(cell)) for cell in row), style=style)
    # In a pipe nothing is to be cut or wrapped.
    Console(width=None if sys.stdout.isatty() else 1000).print(table)
    absent = [model for model in found if model.state == "absent"]
    if names := [model.name for model in absent if model.kind == "whisper"]:
        say(f"turbo-models download gets: {', '.join(names)}")
    for model in absent:
        if model.kind == "moonshine":
            say(f"{model.detail} gets: {model.name}")


@models.command("download")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def download(names: tuple[str, ...]) -> None:
    """Download Whisper models by NAME (tiny.en, ...) or owner/name of the Hugging Face Hub.

    One that is here already is not downloaded again. Prints their folders. moonshine comes with
    pip: where it is missing, that command is told.
    """
    from turbo_stream.recognition.moonshine_model import find_moonshine
    from turbo_stream.recognition.whisper_model import find_model

    for name in names:
        model = find_moonshine() if name == MOONSHINE else find_model(name)
        say_path(model.path)


@models.command("verify")
@click.argument("wanted", nargs=-1, metavar="[NAME_OR_FOLDER]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(wanted: tuple[str, ...], as_json: bool) -> None:
    """Look at every byte of the models that are here, or of those given.

    Ends with status 1 if one is damaged. What nothing is known of is said, and no failure.
    """
    chosen = [_here(name) for name in wanted] or [m for m in list_models() if m.path is not None]
    results = [verify_model(model) for model in chosen]
    if as_json:
        rows = [r.model.to_json() | {"verdict": r.verdict, "detail": r.detail} for r in results]
        print(json.dumps(rows, indent=2))
    else:
        for result in results:
            say(f"{result.verdict:12} {result.model.name}: {result.detail}")
    if any(result.verdict == "damaged" for result in results):
        raise click.exceptions.Exit(1)


def _here(name: str) -> Model:
    if Path(name).is_dir():
        return model_in(Path(name))
    known = {model.name: model for model in list_models()}
    if name not in known:
        raise InputError(f"{name} is neither a folder nor a model of turbo-models list")
    if known[name].path is None:
        get = f"turbo-models download {name}"
        get = known[name].detail if known[name].kind == "moonshine" else get
        raise InputError(f"{name} is not on this machine: {get}")
    return known[name]


def _size(model: Model) -> str:
    return "" if model.size_bytes is None else f"{model.size_bytes / 1e6:,.1f} MB"


def main() -> None:
    """Entry point."""
    sys.exit(run_command(models))


if __name__ == "__main__":
    main()
