"""What PocketSphinx finds and makes up when it is told the device's name.

python -m tools.measurements.recognition.told_pocketsphinx MANIFEST... --name NAME --weight 30

Rows that name their device (`device_name`) are for it, others for a device of each `--name`. Reads
each recording once as it is, and where the rules find reason to once more for each weight. Prints,
for each set and name, what calls the device: as without a second reading, with it, and by either.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from tools.measurements.vad.scenes import read_manifest
from turbo_stream._util.clocks import processor_time
from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.pronunciation import pronunciations
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer, SphinxConfig

Row = dict[str, Any]


def read_twice(
    row: Row, names: Sequence[str], plain: PocketSphinxRecognizer, told: dict[float, Any]
) -> list[Row]:
    """Return what is read of `row` for a device of each of `names`."""
    pcm = read_clip(Path(row["audio_filepath"]))
    started = processor_time()
    first = plain.transcribe(pcm)
    plain_ms = (processor_time() - started) * 1000
    found = []
    for name in names:
        untold = Addressing.of("named", [name], 0, reads_again=False)
        device = Addressing.of("named", [name], 0, reads_again=True)
        spoken = {name: pronunciations(name)}
        kind = "calls" if row["label"] == "directed" else "others"
        line = {
            "set": row.get("set", "talk"),
            "name": name,
            "kind": kind,
            "gold": row.get("text"),
            "plain": first.text,
            "plain_ms": plain_ms,
            "untold": untold.calls(first),
            "sure": device.calls(first),
            "doubts": device.doubts(first),
        }
        for weight, recognizer in told.items() if line["doubts"] else ():
            started = processor_time()
            again = recognizer.transcribe_expecting(pcm, spoken, lambda: True)
            line[f"ms {weight:g}"] = (processor_time() - started) * 1000
            line[f"text {weight:g}"] = again.text
            line[f"calls {weight:g}"] = device.calls(again)
        found.append(line)
    return found


def table(lines: Sequence[Row], weights: Sequence[float]) -> str:
    """Return how many calls are found, by set, kind and name, and what it costs."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for line in lines:
        for name in (line["name"], "all"):
            groups[line["set"], line["kind"], name].append(line)
    rules = [f"{rule} {weight:g}" for weight in weights for rule in ("told", "either")]
    rows = [f"| set | kind | name | n | read again | untold | {' | '.join(rules)} |"]
    rows.append("|---|---|---" + "|--:" * (3 + len(rules)) + "|")
    for (group, kind, name), some in sorted(groups.items()):
        counts = [sum(line["doubts"] for line in some), sum(line["untold"] for line in some)]
        for weight in weights:
            again = [line["sure"] or line.get(f"calls {weight:g}", False) for line in some]
            counts.append(sum(again))
            pairs = zip(again, some, strict=True)
            counts.append(sum(found or line["untold"] for found, line in pairs))
        rows.append(f"| {group} | {kind} | {name} | {len(some)} | {' | '.join(map(str, counts))} |")
    rows.append("")
    rows.append(f"first reading: {np.mean([line['plain_ms'] for line in lines]):.0f} ms")
    for weight in weights:
        times = [line[f"ms {weight:g}"] for line in lines if f"ms {weight:g}" in line]
        if times:
            rows.append(f"second, weight {weight:g}: {np.mean(times):.0f} ms ({len(times)})")
    return "\n".join(rows)


@click.command("tools.measurements.recognition.told_pocketsphinx", help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--name", "names", multiple=True, help="Of the device, for rows that have none.")
@click.option("--weight", "weights", multiple=True, type=float, default=(30.0,), show_default=True)
@click.option("--set", "sets", multiple=True, help="Sets to read; all if absent.")
@click.option("--every", default=1, show_default=True, help="Read every so many of a set.")
@click.option("--part", default="1/1", show_default=True, metavar="K/N", help="Of these rows.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the readings.")
def main(
    manifests: tuple[Path, ...],
    names: tuple[str, ...],
    weights: tuple[float, ...],
    sets: tuple[str, ...],
    every: int,
    part: str,
    out: Path | None,
) -> None:
    """Read, and print the table."""
    rows = [row for path in manifests for row in read_manifest(path)]
    rows = [row for row in rows if not sets or row.get("set") in sets][::every]
    which, parts = map(int, part.split("/"))
    plain = PocketSphinxRecognizer()
    told = {
        weight: PocketSphinxRecognizer(config=SphinxConfig(name_weight=weight))
        for weight in weights
    }
    lines: list[Row] = []
    for row in rows[which - 1 :: parts]:
        device = row.get("device_name")
        lines += read_twice(row, [device] if device else names, plain, told)
        if out is not None:
            out.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    print(table(lines, weights))


if __name__ == "__main__":
    raise SystemExit(run_command(main))
