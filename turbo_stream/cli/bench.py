"""`turbo-bench`: how fast the installed product is on this machine."""

import sys
from dataclasses import replace
from pathlib import Path

import click

import turbo_stream
from turbo_stream.cli.bench_listen import bench_listen
from turbo_stream.cli.command import run_command
from turbo_stream.cli.config_file import config_option
from turbo_stream.cli.options import options
from turbo_stream.cli.wording import tell
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.settings import Settings


@click.group("turbo-bench", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(turbo_stream.__version__, prog_name="turbo-bench")
def bench() -> None:
    """Measure the installed product on this machine."""


bench.add_command(bench_listen)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
plot_option = click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw a PNG."
)


@bench.command("eval")
@click.argument("manifest", required=False, type=click.Path(path_type=Path))
@config_option
@options(ScoringSettings, "settings", asr="none")
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that score.",
)
@json_option
def bench_eval(
    manifest: Path | None, settings: ScoringSettings, workers: int, as_json: bool
) -> None:
    """Score MANIFEST (without one: clips of noise) and tell how many times real time that is."""
    from turbo_stream.benchmark.corpus import benchmark_eval
    from turbo_stream.benchmark.machine import machine
    from turbo_stream.benchmark.report import show
    from turbo_stream.evaluation.run import Engine

    found = benchmark_eval(manifest, settings, Engine(workers=workers))
    show("turbo-bench eval", {"machine": machine(), **found}, as_json=as_json)


@bench.command("turbo")
@options(Settings, "settings", only={"model"})
@click.option(
    "--runs",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    metavar="N",
    help="Runs of each length.",
)
@json_option
@plot_option
def bench_turbo(settings: Settings, runs: int, as_json: bool, plot: Path | None) -> None:
    """Time the classifier alone, over sounds of 1 to 15 s, with and without text."""
    from turbo_stream.benchmark.report import check_plot, progress_bar, show, write_plot
    from turbo_stream.benchmark.turbo import benchmark_turbo, turbo_plot

    check_plot(plot)
    with progress_bar() as progress:
        found = benchmark_turbo(settings.model, runs=runs, progress=progress)
    show("turbo-bench turbo", found, as_json=as_json)
    write_plot(plot, lambda: turbo_plot(found))


@bench.command("asr")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[MANIFEST]...")
@options(Settings, "settings", only={"asr"})
@click.option(
    "--window-floor",
    "window_floor_s",
    multiple=True,
    type=float,
    default=(Settings.window_floor_s,),
    show_default=True,
    metavar="S",
    help="As of turbo-listen; repeatable.",
)
@click.option(
    "--window-margin",
    "window_margin_s",
    multiple=True,
    type=float,
    default=(Settings.window_margin_s,),
    show_default=True,
    metavar="S",
    help="As of turbo-listen; repeatable.",
)
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Utterances of each source.")
@click.option(
    "--by", default="source", show_default=True, metavar="COLUMN", help="What names the source."
)
@click.option(
    "--runs",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    metavar="N",
    help="Pieces of each length.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Of Whisper; turbo-listen has one.",
)
@json_option
@plot_option
def bench_asr(
    paths: tuple[Path, ...],
    settings: Settings,
    window_floor_s: tuple[float, ...],
    window_margin_s: tuple[float, ...],
    limit: int | None,
    by: str,
    runs: int,
    threads: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Time the recognizer alone, and count the words it gets wrong, beside the padded window.

    MANIFEST as of turbo-eval, or a sound file with its segments beside it; without one, the
    recording in the package.
    """
    from turbo_stream.benchmark.asr.benchmark import benchmark_asr
    from turbo_stream.benchmark.asr.report import asr_plot, brief
    from turbo_stream.benchmark.report import check_plot, progress_bar, show, write_plot

    check_plot(plot)
    windows = [
        replace(settings, window_floor_s=floor, window_margin_s=margin).window
        for floor in window_floor_s
        for margin in window_margin_s
    ]
    with progress_bar() as progress:
        found = benchmark_asr(
            paths,
            asr=str(settings.asr),
            windows=windows,
            threads=threads,
            limit=limit,
            by=by,
            runs=runs,
            say=lambda text: tell(bench_asr, text, program="turbo-bench"),
            progress=progress,
        )
    show("turbo-bench asr", found if as_json else brief(found), as_json=as_json)
    write_plot(plot, lambda: asr_plot(found))


def main() -> None:
    """Entry point."""
    sys.exit(run_command(bench))


if __name__ == "__main__":
    main()
