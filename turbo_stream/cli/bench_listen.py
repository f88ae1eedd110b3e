"""`turbo-bench listen`: its options."""

from pathlib import Path

import click

from turbo_stream.audio.capture import BLOCK_MS
from turbo_stream.cli.config_file import config_option
from turbo_stream.cli.options import as_arguments, options
from turbo_stream.cli.wording import tell
from turbo_stream.settings import Settings


@click.command("listen")
@click.argument(
    "paths", nargs=-1, type=click.Path(path_type=Path), metavar="[RECORDING_OR_MANIFEST]..."
)
@config_option
@options(Settings, "settings")
@click.option(
    "--realtime/--full-speed",
    "realtime",
    default=None,
    help="Measure one of the two ways of feeding only.  [default: both]",
)
@click.option(
    "--seconds",
    type=click.FloatRange(5),
    default=60.0,
    show_default=True,
    metavar="S",
    help="Sound played in real time; full speed takes up to ten times as much.",
)
@click.option(
    "--block-ms",
    type=click.FloatRange(10, 1000),
    default=BLOCK_MS,
    show_default=True,
    metavar="MS",
    help="Length of the blocks in which sound arrives; the default is the microphone's.",
)
@click.option(
    "--streams", type=click.IntRange(0), default=0, metavar="N", help="Also play N streams at once."
)
@click.option(
    "--soak-minutes",
    type=click.FloatRange(0),
    default=10.0,
    show_default=True,
    metavar="M",
    help="Quiet room, and a third as much talk, fed at full speed: CPU, and growth of memory.",
)
@click.option(
    "--starts",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    metavar="N",
    help="Fresh processes whose start is timed.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--plot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Draw a PNG."
)
def bench_listen(
    paths: tuple[Path, ...],
    *,
    settings: Settings,
    realtime: bool | None,
    seconds: float,
    block_ms: float,
    streams: int,
    soak_minutes: float,
    starts: int,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Measure listening: latency, processor time, memory, start, and streams at once.

    Sound files may have their `segments` in a JSON file of the same name beside them; manifests
    are those of turbo-eval, and clips in them are joined. Without any, the recording in the
    package is heard.
    """
    from turbo_stream.benchmark.listen.benchmark import ListenSettings, benchmark_listen
    from turbo_stream.benchmark.listen.report import brief, listen_plot
    from turbo_stream.benchmark.report import check_plot, progress_bar, show, write_plot

    check_plot(plot)
    if streams and realtime is False:
        raise click.UsageError("--streams are played in real time; leave out --full-speed")
    amount = ListenSettings(
        realtime_s=0.0 if realtime is False else seconds,
        full_speed_s=0.0 if realtime is True else 10 * seconds,
        block_ms=block_ms,
        streams=streams,
        quiet_s=60 * soak_minutes,
        talk_s=20 * soak_minutes,
        starts=starts,
        live_quiet_s=0.0 if realtime is False else ListenSettings.live_quiet_s,
    )
    with progress_bar() as progress:
        found = benchmark_listen(
            paths,
            amount,
            settings,
            say=_say,
            flags=as_arguments(settings),
            progress=progress,
        )
    show("turbo-bench listen", found if as_json else brief(found), as_json=as_json)
    write_plot(plot, lambda: listen_plot(found))


def _say(text: str) -> None:
    tell(bench_listen, text, program="turbo-bench")
