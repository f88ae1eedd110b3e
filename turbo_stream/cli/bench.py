"""`turbo-bench`: how fast the installed product is on this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

import turbo_stream
from turbo_stream.cli.command import run_command


@click.group("turbo-bench", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(turbo_stream.__version__, prog_name="turbo-bench")
def bench() -> None:
    """Measure the installed product on this machine."""


@bench.command("eval")
@click.argument("manifest", required=False, type=click.Path(path_type=Path))
@click.option("--model", metavar="DIR", help="Turbo package.  [default: the one that ships]")
@click.option("--asr", default="none", show_default=True, help="As of turbo-eval.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench_eval(
    manifest: Path | None, model: str | None, asr: str, workers: int, as_json: bool
) -> None:
    """Score MANIFEST (without one: clips of noise) and tell how many times real time that is."""
    from turbo_stream.evaluation.benchmark import benchmark_eval
    from turbo_stream.evaluation.run import Engine
    from turbo_stream.evaluation.settings import ScoringSettings

    settings = ScoringSettings(model=model, asr=asr)
    found = benchmark_eval(manifest, settings, Engine(workers=workers))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    _print_table("turbo-bench eval", found)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(bench))


def _print_table(title: str, found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, show_header=False)
    for key, value in _flat(found).items():
        table.add_row(key, f"{value:.4g}" if isinstance(value, float) else str(value))
    Console().print(table)


def _flat(found: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in found.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


if __name__ == "__main__":
    main()
