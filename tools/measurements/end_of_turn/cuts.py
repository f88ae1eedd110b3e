"""Rules of the end of a turn: how many commands each cuts in two, and how long it waits.

python -m tools.measurements.end_of_turn.cuts --speech speech.jsonl --noise noise.jsonl \
    --held-out A,B=RUN --held-out ... --out DIR

Streams of single recordings, as recorded and in real noise at 10 dB. A segmenter that waits out
every pause finds the pauses, the package's head judges each, and so does one that has met neither
the collection nor its like; then the rules are asked where they would have ended the utterance.
Writes `DIR/cuts.json`, `DIR/cuts.md` and `DIR/cuts.png`. What was heard of each collection is kept
in `DIR/pauses`, so a run that was stopped goes on where it was: seven minutes of processor time.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from tools.export.graph_weights import read_weights
from tools.export.package import sha256
from tools.judge.candidate import held_out_folders
from tools.measurements.end_of_turn.cuts_picture import draw
from tools.measurements.end_of_turn.cuts_report import report
from tools.measurements.end_of_turn.cuts_table import markdown
from tools.measurements.end_of_turn.hearing import SEED, Hearing
from tools.measurements.end_of_turn.judges import load_headed
from tools.measurements.end_of_turn.material import MATERIAL, Collection
from tools.measurements.end_of_turn.pauses import Pauses, load_pauses
from tools.measurements.end_of_turn.streams import Stream
from tools.measurements.end_of_turn.unmet import open_heads, unmet_odds
from tools.measurements.vad.scenes import read_manifest
from turbo_stream._util.files import write_json, write_text
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME
from turbo_stream.errors import InputError
from turbo_stream.segmentation.config import SegmenterConfig

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_STDERR = Console(stderr=True)


def _shown(streams: Sequence[Stream], name: str) -> Iterable[Stream]:
    return track(streams, name, console=_STDERR)


def _check_same(path: Path, made_of: dict[str, str | int | None]) -> None:
    """Write to `path` what the pauses beside it are made of; refuse a folder of other ones."""
    if not path.exists():
        write_json(path, made_of)
        return
    try:
        kept = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}); delete {path.parent}") from error
    other = sorted(name for name in made_of if kept.get(name) != made_of[name])
    if other:
        raise InputError(
            f"{path.parent} was begun with another {', '.join(other)}; give a new folder as `out`"
        )


@click.command("tools.measurements.end_of_turn.cuts", help=__doc__)
@click.option("--speech", required=True, type=_FILE)
@click.option("--noise", required=True, type=_FILE)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="Package.  [default: the shipped]")
@click.option(
    "--held-out",
    multiple=True,
    metavar="A,B=RUN",
    help="Run of training.end_of_turn without these collections: its head judges them.",
)
@click.option("--smart-turn", type=_FILE, help="ONNX file of smart-turn v3, to compare with.")
def main(
    speech: Path,
    noise: Path,
    out: Path,
    model: Path | None,
    held_out: tuple[str, ...],
    smart_turn: Path | None,
) -> None:
    """Run the comparison."""
    package, threshold = load_headed(model)
    rows, noises = read_manifest(speech), read_manifest(noise)
    recordings = {one.name: _rows(one, rows) for one in MATERIAL}
    missing = [name for name, found in recordings.items() if not found]
    if missing:
        raise InputError(f"{speech} has no recordings of {', '.join(missing)}; all are needed")
    _check_same(
        out / "pauses" / "made_of.json",
        {
            "speech": sha256(speech),
            "noise": sha256(noise),
            "package": sha256(package.path(GRAPH_NAME)),
            "cut to speech": package.cut_to_speech,
            "smart-turn": None if smart_turn is None else sha256(smart_turn),
            "seed": SEED,
        },
    )
    network = read_weights(package.path(GRAPH_NAME)).eval()
    heads = open_heads(held_out_folders(held_out), MATERIAL, network)
    hearing: Hearing | None = None
    heard: list[tuple[Collection, Pauses]] = []
    for collection in MATERIAL:
        path = out / "pauses" / f"{collection.name}.npz"
        if not path.exists():
            hearing = hearing or Hearing(package, network, smart_turn)
            hearing.pauses(collection, recordings[collection.name], noises, _shown).save(path)
        heard.append((collection, load_pauses(path)))
    unmet = unmet_odds(heard, heads)
    found = report(heard, unmet, SegmenterConfig(finished_threshold=threshold))
    found["package"] = f"{package.name} {package.version}"
    write_json(out / "cuts.json", found)
    table = markdown(found)
    write_text(out / "cuts.md", table)
    draw(found, out / "cuts.png")
    print(table)


def _rows(collection: Collection, rows: list[dict]) -> list[dict]:
    label = "directed" if collection.directed else "not_directed"
    return [row for row in rows if row["set"] == collection.name and row["label"] == label]


if __name__ == "__main__":
    sys.exit(run_command(main))
