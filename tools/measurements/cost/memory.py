"""Whether memory grows while the live shell listens on and on: speech and silence by turns.

python -m tools.measurements.cost.memory [RECORDING] --asr WHISPER [--minutes 60] [--speed 10]

The sound comes `--speed` times as fast as it was spoken; an utterance for which there is no time
is dropped, as live. The growth is the slope of a line through the second half of the stream;
`--plot FILE` draws it.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from turbo_stream import Finished, LivePipeline, Pipeline
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples, to_seconds
from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.benchmark.machine import machine, peak_resident_mb, resident_mb
from turbo_stream.benchmark.report import check_plot, show, write_plot
from turbo_stream.benchmark.sound.joining import quiet_room
from turbo_stream.benchmark.sound.material import read_material
from turbo_stream.cli.command import run_command

SILENCE_S = 60.0
"""Of a quiet room after each playing of the recording."""

_BLOCK_SAMPLES = 512


class FastSound:
    """The same sound over and over, faster than it was spoken; notes the memory as it goes."""

    live = True

    def __init__(self, pcm: NDArray[np.int16], minutes: float, speed: float) -> None:
        self.minutes: list[float] = []
        """Of sound heard, at each note."""
        self.resident_mb: list[float] = []
        self._pcm, self._end, self._speed = pcm, to_samples(60 * minutes), speed
        self._closed = False

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield the blocks; notes are 10 s of sound apart."""
        started_s = time.monotonic()
        for at in range(0, self._end, _BLOCK_SAMPLES):
            if self._closed:
                return
            if at % (10 * SAMPLE_RATE) < _BLOCK_SAMPLES:
                self.minutes.append(to_seconds(at) / 60)
                self.resident_mb.append(resident_mb() or 0.0)
            due_s = started_s + to_seconds(at) / self._speed
            time.sleep(max(0.0, due_s - time.monotonic()))
            start = at % len(self._pcm)
            yield Block(self._pcm[start : start + _BLOCK_SAMPLES])

    def close(self) -> None:
        """End the sound."""
        self._closed = True


@click.command("tools.measurements.cost.memory", help=__doc__)
@click.argument("recording", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", default="none", show_default=True, help="As for turbo-listen.")
@click.option("--minutes", type=click.FloatRange(min=1), default=60.0, show_default=True)
@click.option("--speed", type=click.FloatRange(min=1), default=10.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--plot", type=click.Path(path_type=Path), help="PNG to write.")
def main(
    recording: Path | None,
    asr: str,
    minutes: float,
    speed: float,
    as_json: bool,
    plot: Path | None,
) -> None:
    """Measure."""
    check_plot(plot)
    stream = read_material([recording] if recording else [], seconds=60.0).streams[0]
    pipeline = Pipeline.load(asr=asr)
    sound = FastSound(np.concatenate((stream.pcm, quiet_room(SILENCE_S))), minutes, speed)
    *_, finished = LivePipeline(pipeline, sound).run()
    assert isinstance(finished, Finished)
    late = len(sound.minutes) // 2
    slope = np.polyfit(sound.minutes[late:], sound.resident_mb[late:], 1)[0]
    found: dict[str, Any] = {
        "machine": machine(),
        "asr": pipeline.ready.asr,
        "minutes": minutes,
        "utterances": finished.utterances,
        "dropped": finished.dropped,
        "resident_mb": {
            "start": sound.resident_mb[0],
            "half_way": sound.resident_mb[late],
            "end": sound.resident_mb[-1],
            "peak": peak_resident_mb(),
        },
        "growth_mb_per_hour": 60 * float(slope),
    }
    write_plot(plot, lambda: draw(sound))
    show("memory while listening", found, as_json=as_json)


def draw(sound: FastSound) -> bytes:
    """Return a PNG of resident memory over the sound heard."""
    from turbo_stream.evaluation.report.canvas import BLUE, figure_of, png_of

    figure, axes = figure_of(6.4, 3.2)
    axes.plot(sound.minutes, sound.resident_mb, color=BLUE)
    axes.set(xlabel="Sound heard, minutes", ylabel="Resident memory, MiB", ylim=(0, None))
    return png_of(figure)


if __name__ == "__main__":
    sys.exit(run_command(main))
