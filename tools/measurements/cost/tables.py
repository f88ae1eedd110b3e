"""The tables of the benchmarks, from what `turbo-bench --json` found.

python -m tools.measurements.cost.tables none.json whisper.json [turbo.json]

Before it, `turbo-bench listen --asr none --json > none.json`, and so on for other recognizers.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from turbo_stream.benchmark.sound.material import KITCHEN
from turbo_stream.cli.command import run_command

Found = Mapping[str, Any]

_LISTEN: dict[str, Callable[[Found], str]] = {
    "load average, before and after": lambda f: (
        f"{f['machine']['load_average']}, {f['machine']['load_average_after']}"
    ),
    "cold start to `ready`, s": lambda f: f"{f['cold_start']['ready_s']:.2f}",
    "**response, real time**, ms": lambda f: _three(f, "realtime", "response_ms"),
    "of which end silence": lambda f: _three(f, "realtime", "end_silence_ms"),
    "of which work": lambda f: _three(f, "realtime", "work_ms"),
    "work at full speed, nothing ahead, ms": lambda f: _three(f, "full_speed", "work_ms"),
    "heard whole, cut, merged, missed": lambda f: ", ".join(
        str(f["realtime"][fate]) for fate in ("whole", "cut", "merged", "missed")
    ),
    "texts saved by the sound alone": lambda f: f"{f['realtime']['texts_saved']:.0%}",
    "drafts begun, used; seconds thrown away": lambda f: "{started}, {used}; {wasted_s}".format(
        **f["realtime"]["speculation"]
    ),
    "quiet room, share of a core: core, live": lambda f: (
        f"{f['quiet']['cpu_share']:.2%}, {f['live_quiet']['cpu_share']:.2%}"
    ),
    "conversation, share of a core": lambda f: f"{f['conversation']['cpu_share']:.1%}",
    "segmentation, pause judge, recognizer, Turbo, ms/s": lambda f: ", ".join(
        f"{f['conversation']['cpu_ms_per_s'][stage]:.1f}"
        for stage in ("segmentation", "pause_scorer", "asr", "turbo")
    ),
    "streams a core, from that": lambda f: f"{f['conversation']['streams_per_core']:.0f}",
    "memory ready, at most, MiB": lambda f: (
        f"{f['cold_start']['ready_mb']:.0f}, {f['cold_start']['peak_mb']:.0f}"
    ),
    "memory here: ready, after conversation, MiB": lambda f: (
        f"{f['resident_mb']['ready']:.0f}, {f['resident_mb']['after_conversation']:.0f}"
    ),
    "streams at once; behind; work, ms": lambda f: (
        f"{f['streams']['streams']}; {f['streams']['behind']}; {_three(f, 'streams', 'work_ms')}"
    ),
}
"""The lines of the table on listening; a figure that was not measured is a dash."""


@click.command("tools.measurements.cost.tables", help=__doc__)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
def main(files: tuple[Path, ...]) -> None:
    """Print the tables."""
    found = [json.loads(path.read_text("utf-8")) for path in files]
    listened = [one for one in found if "ready" in one]
    if listened:
        print("\n".join(listen_table(listened)) + "\n")
    for one in found:
        if "runs" in one:
            print("\n".join(turbo_table(one)) + "\n")


def listen_table(columns: Sequence[Found]) -> list[str]:
    """Return the lines of a table with a column for each result of `turbo-bench listen`."""
    names = [", ".join([one["ready"]["asr"], *_own_recordings(one)]) for one in columns]
    lines = ["| p50 / p95 / p99 | " + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
    for name, figure in _LISTEN.items():
        lines.append(f"| {name} | " + " | ".join(_or_dash(figure, one) for one in columns) + " |")
    return lines


def _own_recordings(found: Found) -> list[str]:
    """Return what was heard, unless it is the recording in the package."""
    return [name for name in found["material"]["streams"] if name != KITCHEN.name]


def turbo_table(found: Found) -> list[str]:
    """Return the lines of the table on the classifier: p50 / p95 in ms by length of the sound."""
    seconds = list(dict.fromkeys(row["sound_s"] for row in found["runs"]))
    lines = [
        "| p50 / p95 ms | " + " | ".join(f"{s:g} s" for s in seconds) + " |",
        "|---|" + "--:|" * len(seconds),
    ]
    kinds = dict.fromkeys((row["threads"], row["text"]) for row in found["runs"])
    for threads, text in kinds:
        rows = [row for row in found["runs"] if (row["threads"], row["text"]) == (threads, text)]
        name = f"{threads} thread{'s' * (threads > 1)}, {'with' if text else 'without'} text"
        cells = [f"{row['ms']['p50']:.1f} / {row['ms']['p95']:.1f}" for row in rows]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        cpu = [f"{row['cpu_ms']:.1f}" for row in rows]
        lines.append("| processor time | " + " | ".join(cpu) + " |")
    load = found["machine"]["load_average"]
    memory = found["resident_mb"]
    return [
        *lines,
        "",
        f"Load average {load}. Loading takes {found['load_ms']:.0f} ms "
        f"({found['load_cpu_ms']:.0f} ms of the processor) and "
        f"{memory['loaded'] - memory['before']:.0f} MiB.",
    ]


def _three(found: Found, mode: str, key: str) -> str:
    times = found[mode][key]
    return " / ".join(f"{times[p]:.{1 if times[p] < 10 else 0}f}" for p in ("p50", "p95", "p99"))


def _or_dash(figure: Callable[[Found], str], found: Found) -> str:
    try:
        return figure(found)
    except (KeyError, TypeError):
        return "-"


if __name__ == "__main__":
    sys.exit(run_command(main))
