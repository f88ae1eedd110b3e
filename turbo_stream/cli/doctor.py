"""`turbo-doctor`: what keeps this machine from listening, and how to get it."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace

import click

import turbo_stream
from turbo_stream._util.shown import shown
from turbo_stream.cli.command import run_command
from turbo_stream.cli.options import index_or_name, options
from turbo_stream.cli.wording import with_flags
from turbo_stream.doctor.check import Check
from turbo_stream.doctor.examination import Wanted, examine, works
from turbo_stream.settings import Settings

_MARKS = {"ok": ("ok", "green"), "note": ("note", "yellow"), "missing": ("MISSING", "red")}


@click.command("turbo-doctor", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--listen",
    "listen_s",
    type=click.FloatRange(0, 60, min_open=True),
    metavar="S",
    help="Listen to the microphone for S seconds: does it deliver sound?",
)
@click.option("--device", metavar="ID", help="Microphone to listen to, by index or name.")
@click.option(
    "--no-microphone",
    "microphone",
    is_flag=True,
    default=True,
    flag_value=False,
    help="None is needed: a server, or files.",
)
@options(Settings, "settings", only={"model"})
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8765,
    show_default=True,
    help="Port of turbo-serve.",
)
@click.version_option(turbo_stream.__version__, prog_name="turbo-doctor")
def doctor(
    *,
    as_json: bool,
    listen_s: float | None,
    device: str | None,
    microphone: bool,
    settings: Settings,
    port: int,
) -> None:
    """Look at everything that listening needs, and say what is missing and how to get it.

    Ends with status 0 if listening would work, else 1. Nothing is written, sent or downloaded.
    """
    if not microphone and listen_s is not None:
        raise click.UsageError("--no-microphone leaves nothing to listen to; give one or the other")
    if device is not None and listen_s is None:
        raise click.UsageError("--device says what --listen listens to; give --listen S, too")
    wanted = Wanted(
        microphone=microphone,
        listen_s=listen_s,
        device=index_or_name(device),
        model=settings.model,
        port=port,
    )
    checks = _printed_json(wanted) if as_json else _printed_table(wanted)
    if not works(checks):
        raise click.exceptions.Exit(1)


def _printed_json(wanted: Wanted) -> list[Check]:
    checks = list(_examined(wanted))
    body = {"works": works(checks), "checks": [check.to_json() for check in checks]}
    print(json.dumps(body, indent=2))
    return checks


def _printed_table(wanted: Wanted) -> list[Check]:
    checks = []
    # Line by line as it is found: some of it takes seconds.
    for check in _examined(wanted):
        checks.append(check)
        mark, colour = _MARKS[check.state]
        # Not with rich, which may be what is missing.
        click.echo(f"{click.style(f'{mark:8}', fg=colour)}{check.name:18} {shown(check.found)}")
        if check.advice:
            click.echo(click.style(f"{'':27}{shown(check.advice)}", dim=True))
    missing = [check.name for check in checks if check.state == "missing"]
    conclusion = f"missing: {', '.join(missing)}" if missing else "listening would work"
    click.echo(f"\n{conclusion}")
    return checks


def _examined(wanted: Wanted) -> Iterator[Check]:
    for check in examine(wanted):
        found, advice = (with_flags(text, doctor) for text in (check.found, check.advice))
        yield replace(check, found=found, advice=advice)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(doctor))


if __name__ == "__main__":
    main()
