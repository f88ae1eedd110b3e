"""Measures turbo-listen and prints the figures as JSON, with a table on stderr.

python -m tools.benchmark_listen [FILE] [--asr FOLDER|none|pocketsphinx] [--model DIR]
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tools.listen_benchmark.command import import_s, listen, median_run
from tools.listen_benchmark.core import measure_core
from tools.listen_benchmark.microphone import measure_microphone
from tools.listen_benchmark.options import Options
from tools.listen_benchmark.peer import measure_peer

_IMPORT_REPEATS = 5
_KITCHEN = Path("examples/kitchen.flac")
_LIMITS = {
    "import_s": 0.5,
    "listen.real_time_factor": 0.1,
    "listen.steady_real_time_factor": 0.1,
    "core.file.real_time_factor": 0.1,
    "core.silence.cpu_share": 0.02,
    "microphone.cpu_share": 0.02,
}
"""What the project promises, on two cores; PocketSphinx aside for the factors."""


@click.command()
@click.argument("recording", type=click.Path(path_type=Path, exists=True), default=_KITCHEN)
@click.option("--asr", default="none", show_default=True, help="As for turbo-listen.")
@click.option("--model", metavar="DIR", help="Turbo package.  [default: the one that ships]")
@click.option("--vad", help="As for turbo-listen.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--silence-minutes", type=float, default=60.0, show_default=True)
@click.option("--microphone-s", type=float, default=30.0, show_default=True)
def main(
    recording: Path,
    asr: str,
    model: str | None,
    vad: str | None,
    repeats: int,
    silence_minutes: float,
    microphone_s: float,
) -> None:
    """Measure turbo-listen over RECORDING, on silence and on a silent microphone, and its peer."""
    options = Options(recording, asr, model, vad)
    console = Console(stderr=True)
    figures: dict = {"machine": _machine(), "recording": recording.name}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("import", total=5)
        figures["import_s"] = import_s(_IMPORT_REPEATS)
        progress.update(task, advance=1, description="turbo-listen FILE")
        figures["listen"] = median_run([listen(options) for _ in range(repeats)])
        progress.update(task, advance=1, description="silence")
        figures["core"] = measure_core(options, silence_minutes * 60)
        progress.update(task, advance=1, description="microphone")
        figures["microphone"] = measure_microphone(options, microphone_s)
        progress.update(task, advance=1, description="peer")
        if Path(asr).is_dir():
            figures["peer"] = measure_peer(options, figures["core"]["file"])
        progress.update(task, advance=1)
    console.print(_table(figures))
    click.echo(json.dumps(figures, indent=1))


def _machine() -> dict:
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
    }


def _table(figures: dict) -> Table:
    table = Table("figure", "value", "limit")
    for name, value in _flat(figures):
        limit = _LIMITS.get(name)
        text = f"{value:.4g}" if isinstance(value, float) else str(value)
        late = limit is not None and value > limit
        table.add_row(
            name, f"[red]{text}[/]" if late else text, "" if limit is None else f"{limit:g}"
        )
    return table


def _flat(figures: dict, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in figures.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


if __name__ == "__main__":
    main()
