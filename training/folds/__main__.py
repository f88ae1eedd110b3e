"""Command line: `python -m training.folds MANIFEST --column speaker --folds 5 --out FILE`."""

import sys
from collections import Counter
from pathlib import Path

import click

from training.data.manifest import found_labels, read_manifest
from training.folds.fold_file import make_folds
from turbo_stream._util.files import write_json
from turbo_stream.cli.command import run_command


@click.command("training.folds")
@click.argument("manifest", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--column", default="group", show_default=True, help="Values that stay whole.")
@click.option("--folds", "count", default=5, show_default=True, type=click.IntRange(2))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The fold file.")
def main(manifest: tuple[Path, ...], column: str, count: int, out: Path) -> None:
    """Deal the rows of MANIFEST into folds by a column, every class balanced over them."""
    labels = found_labels(manifest)
    rows = [row for path in manifest for row in read_manifest(path, labels, {})]
    content = make_folds(rows, column, count, name=out.stem)
    write_json(out, content)
    for index, fold in enumerate(content["folds"]):
        counts = Counter(labels[row.label] for row in rows if row.key(column) in set(fold["test"]))
        spread = ", ".join(f"{label} {counts[label]}" for label in labels)
        print(f"fold {index}: {len(fold['test'])} of {column}, {spread}")


if __name__ == "__main__":
    sys.exit(run_command(main))
