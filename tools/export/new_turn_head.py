"""Command line: `python -m tools.export.new_turn_head PACKAGE RUN --out DIR --package-version V`.

Writes PACKAGE once more with the end-of-turn head of RUN, one of `training.end_of_turn` on the same
front. Of the graph only the weights of the head are others, so every other output stays the same to
the last bit, and what was measured of them stays true. The card keeps what it says of the old head;
`tools.release` writes that of the shipped model anew.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import click
import onnx

from tools.export.graph_weights import read_weights
from tools.export.onnx_graph import export_fp32
from tools.export.package import sha256
from tools.export.quantization import quantize_dynamic
from tools.export.turn_head import with_head_of
from training.fitting.checkpoint import load_model, write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import InputError

_HEAD = "end_of_turn."


def replace_head(graph: Path, other: Path, out: Path) -> None:
    """Write `graph` to `out` with the head that `other` has, another graph of the same kind.

    Raises:
        InputError: the heads have not the same weights, in the same sizes and numbers.
    """
    proto = onnx.load(str(graph))
    theirs = {item.name: item for item in onnx.load(str(other)).graph.initializer}
    ours = {item.name: item for item in proto.graph.initializer if item.name.startswith(_HEAD)}
    kinds = [
        {(name, tuple(item.dims), item.data_type) for name, item in of.items()}
        for of in (ours, {name: item for name, item in theirs.items() if name.startswith(_HEAD)})
    ]
    if not ours or kinds[0] != kinds[1]:
        raise InputError(
            "the package's head and the run's have other weights, or other sizes of them; export "
            "the run as a package of its own"
        )
    for name, item in ours.items():
        item.CopyFrom(theirs[name])
    onnx.save(proto, str(out))


@click.command("tools.export.new_turn_head")
@click.argument("package", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write.",
)
@click.option("--package-version", required=True, help="Version of the package to write.")
def main(package: Path, run: Path, out: Path, package_version: str) -> None:
    """Write PACKAGE once more with the end-of-turn head of the training RUN."""
    if out.exists() and any(out.iterdir()):
        raise click.BadParameter(f"--out {out} is there already; give a new folder")
    found = ModelPackage.load(package)
    model, _ = load_model(run)
    if model.end_of_turn is None:
        raise InputError(f"{run} has no end-of-turn head; give a run of training.end_of_turn")
    with_head_of(read_weights(found.path(GRAPH_NAME)), model)  # refuses another front
    head = json.loads((run / "metrics.json").read_text("utf-8"))["end_of_turn"]
    manifest = json.loads((package / MANIFEST_NAME).read_text("utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        exported, rounded, graph = (Path(scratch, f"{n}.onnx") for n in ("float", "int8", "new"))
        export_fp32(model, exported)
        quantize_dynamic(exported, rounded)
        replace_head(package / GRAPH_NAME, rounded, graph)  # may refuse: nothing is written yet
        out.mkdir(parents=True, exist_ok=True)
        for name in manifest["files"]:
            shutil.copyfile(graph if name == GRAPH_NAME else package / name, out / name)
    manifest["version"] = package_version
    manifest["end_of_turn"] = {"threshold": head["threshold"]}
    manifest["metrics"]["end_of_turn"] = head
    manifest["files"][GRAPH_NAME] = sha256(out / GRAPH_NAME)
    write_json(out / MANIFEST_NAME, manifest)
    print(json.dumps({"out": str(out), "of": f"{found.name} {found.version}", "head_of": str(run)}))


if __name__ == "__main__":
    sys.exit(run_command(main))
