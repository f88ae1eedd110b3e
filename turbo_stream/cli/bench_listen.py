"""`turbo-bench listen`: its options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turbo_stream.audio.capture import BLOCK_MS
from turbo_stream.cli.window import window_options
from turbo_stream.settings import Settings

if TYPE_CHECKING:
    from turbo_stream.recognition.window import WindowConfig


@click.command("listen")
@click.argument(
    "paths", nargs=-1, type=click.Path(path_type=Path), metavar="[RECORDING_OR_MANIFEST]..."
)
@click.option("--model", metavar="DIR", help="Turbo package.  [default: the one that ships]")
@click.option("--asr", default="auto", show_default=True, help="As of turbo-listen.")
@click.option("--vad", help="As of turbo-listen.")
@click.option("--name", "names", multiple=True, help="What the device is called; repeatable.")
@window_options
@click.option("--turn-model", metavar="FILE", help="As of turbo-listen.")
@click.option("--sound-reject", type=float, metavar="P", help="As of turbo-listen.")
@click.option("--partials/--no-partials", default=True, help="As of turbo-listen.")
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
    model: str | None,
    asr: str,
    vad: str | None,
    names: tuple[str, ...],
    window: WindowConfig,
    turn_model: str | None,
    sound_reject: float | None,
    partials: bool,
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
    settings = ListenSettings(
        realtime_s=0.0 if realtime is False else seconds,
        full_speed_s=0.0 if realtime is True else 10 * seconds,
        block_ms=block_ms,
        streams=streams,
        quiet_s=60 * soak_minutes,
        talk_s=20 * soak_minutes,
        starts=starts,
        live_quiet_s=0.0 if realtime is False else ListenSettings.live_quiet_s,
    )
    options = {
        "--model": model,
        "--asr": asr,
        "--vad": vad,
        "--window-floor": window.floor_s,
        "--window-margin": window.margin_s,
        "--turn-model": turn_model,
        "--sound-reject": sound_reject,
    }
    given = [(flag, value) for flag, value in options.items() if value is not None]
    given += [("--name", name) for name in names]
    with progress_bar() as progress:
        found = benchmark_listen(
            paths,
            settings,
            Settings(
                model=model,
                asr=asr,
                vad=vad or Settings.vad,
                names=names,
                window_floor_s=window.floor_s,
                window_margin_s=window.margin_s,
                turn_model=turn_model,
                sound_reject=sound_reject,
                partials=partials,
            ),
            say=_say,
            flags=[str(part) for pair in given for part in pair],
            progress=progress,
        )
    show("turbo-bench listen", found if as_json else brief(found), as_json=as_json)
    write_plot(plot, lambda: listen_plot(found))


def _say(text: str) -> None:
    print(f"turbo-bench: {text}", file=sys.stderr)
