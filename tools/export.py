"""Command line: `python -m tools.export DIR --out PACKAGE`, from a training run to a package."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from safetensors import SafetensorError

from models.turbo import Turbo
from tools.card import base_models, model_card
from tools.onnx_graph import export_fp32, quantize_int8
from tools.package import VERSION, write_package
from tools.parity import Item, compare, latency_ms, synthetic_items
from tools.shipped_card import LICENCE, NAME, TEXT_SOURCES, shipped_card
from training.batches import encode
from training.calibrate import Affine
from training.checkpoint import load_model
from training.features import read_wave
from training.hypotheses import read_hypotheses
from training.manifest import read_manifest

_LARGEST_DIFFERENCE = 1e-4


def recorded_items(
    folder: Path, model: Turbo, manifest: Path, hypotheses: tuple[Path, ...], count: int
) -> list[Item]:
    """Return `count` recordings spread over a manifest, with the text a device would have."""
    _, tokenizer = load_model(folder)
    rows = read_manifest(manifest, model.config.labels, read_hypotheses(hypotheses))
    items = []
    for row in rows[:: max(1, len(rows) // count)]:
        wave = read_wave(row.clip)
        text, confidence = row.words("auto")
        ids, mask = encode(tokenizer, text, row.names)
        items.append(Item(wave[-model.config.max_samples :].copy(), ids, mask, confidence))
    return items


def _described(metrics: dict) -> list[dict]:
    """Return the collections a run learned from; where its text files come from is known here."""
    return [
        {
            **item,
            "source": item["source"] or TEXT_SOURCES.get(item["collection"], (None, None))[0],
            "license": item["license"] or TEXT_SOURCES.get(item["collection"], (None, None))[1],
        }
        for item in metrics["data"]
    ]


def read_run(folder: Path) -> tuple[Turbo, dict, dict]:
    """Return the network of a run, its configuration and its metrics.

    Raises:
        click.UsageError: `folder` is not that of a finished run, or it had no development set to
            be calibrated on.
    """
    try:
        model, _ = load_model(folder)
        config = json.loads((folder / "config.json").read_text("utf-8"))
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    except (OSError, SafetensorError) as error:
        raise click.UsageError(
            f"{folder} holds no finished training run ({error}); give the out=DIR of one"
        ) from error
    if "calibration" not in metrics:
        raise click.UsageError(
            f"{folder}/metrics.json has no calibration: the run had no recordings in its "
            "development set; train with data.manifest=FILE"
        )
    return model, config, metrics


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Package to write.")
@click.option(
    "--manifest",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Recordings to compare the graphs on; without it, made-up sound.",
)
@click.option(
    "--hypotheses",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What recognizers heard in them.",
)
@click.option("--count", default=200, show_default=True, help="Recordings to compare on.")
@click.option("--name", help=f"Name of the model.  [default: {NAME} for rej, else the recipe's]")
@click.option("--language", default="en", show_default=True, help="Code of the texts' language.")
@click.option("--license", "licence", help="Of the weights.  [default: other]")
@click.option(
    "--report",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON of an evaluation to put on the card and into `metrics`, under its file's name.",
)
def main(
    folder: Path,
    out: Path,
    manifest: Path | None,
    hypotheses: tuple[Path, ...],
    count: int,
    name: str | None,
    language: str,
    licence: str | None,
    report: tuple[Path, ...],
) -> None:
    """Write the fp32 and INT8 graphs of the run in FOLDER, compare them, and make the package."""
    console = Console(stderr=True)
    model, config, metrics = read_run(folder)
    calibration = Affine(metrics["calibration"]["scale"], tuple(metrics["calibration"]["bias"]))
    name = name or (NAME if config["name"] == "rej" else f"turbo-{config['name']}")
    licence = licence or (LICENCE if name == NAME else "other")
    with tempfile.TemporaryDirectory() as scratch:
        fp32, int8 = Path(scratch, "model.fp32.onnx"), Path(scratch, "model.int8.onnx")
        with console.status("exporting"):
            try:
                export_fp32(model, fp32)
            except RuntimeError as error:
                raise click.ClickException(str(error)) from error
            quantize_int8(fp32, int8)
        with console.status("comparing"):
            items = synthetic_items(model)
            if manifest is not None:
                items = recorded_items(folder, model, manifest, hypotheses, count)
            parity = compare(model, fp32, int8, items, calibration)
            parity["on"] = "recordings" if manifest is not None else "made-up sound"
            parity["latency_ms_one_thread"] = latency_ms(int8, model.config.vocabulary_size)
            parity["fp32_latency_ms_one_thread"] = latency_ms(fp32, model.config.vocabulary_size)
            parity["int8_bytes"] = int8.stat().st_size
        if parity["pytorch_fp32_max_logit_difference"] > _LARGEST_DIFFERENCE:
            found = parity["pytorch_fp32_max_logit_difference"]
            raise click.ClickException(
                f"the exported graph differs from the network by {found:.1e}, more than "
                f"{_LARGEST_DIFFERENCE:.0e} is a bug in the export"
            )
        reports = {path.stem: json.loads(path.read_text("utf-8")) for path in report}
        data = _described(metrics)
        shared = {"data": data, "language": language, "version": VERSION}
        card = (
            shipped_card(config, metrics, parity, reports, **shared)
            if name == NAME
            else model_card(config, metrics, parity, name=name, licence=licence, **shared)
        )
        write_package(
            out,
            name=name,
            language=language,
            graph=int8,
            tokenizer=folder / "tokenizer.json",
            card=card,
            config=config["model"],
            metrics=metrics,
            training={
                "license": licence,
                "base_models": base_models(config["model"]),
                "data": data,
            },
            parity=parity,
            reports=reports,
        )
    shown = {
        key: np.round(value, 6) if isinstance(value, float) else value
        for key, value in parity.items()
    }
    click.echo(json.dumps({"package": str(out), **shown}))


if __name__ == "__main__":
    main()
