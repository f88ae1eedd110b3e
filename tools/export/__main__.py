"""Command line: `python -m tools.export DIR --out PACKAGE`, from a training run to a package."""

import json
import sys
import tempfile
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from safetensors import SafetensorError
from tokenizers import Tokenizer

from models.turbo import Turbo
from tools.export.calibration import calibrated, calibration_report, chosen_by, split_known
from tools.export.card import NOT_STATED, base_models, model_card
from tools.export.onnx_graph import export_fp32
from tools.export.package import write_package
from tools.export.parity.compare import FLOAT, Comparison, Decision, compare
from tools.export.parity.logits import states_width
from tools.export.parity.page import write_report
from tools.export.parity.sets import Sets, recorded_item, recorded_sets, synthetic_sets
from tools.export.parity.systems import measure_systems, targets
from tools.export.quantization import quantize_dynamic, quantize_static
from training.data.hypotheses import read_hypotheses
from training.data.manifest import read_manifest
from training.data.recognizer_states import RecognizerStates, load_states
from training.fitting.checkpoint import load_model
from training.fitting.environment import Origin
from training.fitting.metrics import Affine
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import InputError, TurboStreamError

_LARGEST_DIFFERENCE = 1e-4

QUANTIZATIONS = ("dynamic", "static")


def read_run(folder: Path) -> tuple[Turbo, Tokenizer, dict, dict]:
    """Return the network of a run, its tokenizer, its configuration and its metrics.

    Raises:
        InputError: `folder` is not that of a finished run, or it had no development set to
            be calibrated on.
    """
    try:
        model, tokenizer = load_model(folder)
        config = json.loads((folder / "config.json").read_text("utf-8"))
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{folder} holds no finished training run ({error}); give the out=DIR of one"
        ) from error
    if "calibration" not in metrics:
        raise InputError(
            f"{folder}/metrics.json has no calibration: the run had no recordings in its "
            "development set; train with data.manifest=FILE"
        )
    return model, tokenizer, config, metrics


def decision_of(model: Turbo, metrics: dict) -> Decision:
    """Return how the package will decide, of the network of a run and its metrics."""
    calibration = Affine(metrics["calibration"]["scale"], tuple(metrics["calibration"]["bias"]))
    point = metrics.get("operating_points", {}).get("balanced")
    if point is None or DIRECTED not in model.config.labels:
        return Decision(calibration)
    return Decision(calibration, model.config.labels.index(DIRECTED), point["threshold"])


def _compared(
    model: Turbo, metrics: dict, graphs: dict[str, Path], sets: Sets, quantization: str
) -> Comparison:
    """Compare the graphs; what must not go into a package ends the command in one line."""
    wanted = None if quantization == "auto" else quantization
    compared = compare(model, graphs, sets, decision_of(model, metrics), wanted=wanted)
    found = compared.report["pytorch_fp32_max_logit_difference"]
    if found > _LARGEST_DIFFERENCE:
        raise TurboStreamError(
            f"the exported graph differs from the network by {found:.1e}, more than "
            f"{_LARGEST_DIFFERENCE:.0e} is a bug in the export"
        )
    return compared


def _measured(model: Turbo, folder: Path, graphs: dict[str, Path], parity: dict) -> dict:
    """Return the parity report with what every system costs, and the latency of the same run."""
    chosen = parity["quantization"]["chosen"]
    try:
        found = measure_systems(model, folder, graphs, chosen)
    except RuntimeError as error:
        raise TurboStreamError(str(error)) from error
    return {
        **parity,
        "latency_ms_one_thread": found["systems"][chosen]["latency_ms"],
        "fp32_latency_ms_one_thread": found["systems"][FLOAT]["latency_ms"],
        **found,
        "targets": targets(parity, found),
    }


def _states(model: Turbo, recognizer: str) -> RecognizerStates | None:
    """Return what makes the states that `model` reads of a wave; None where it reads the wave."""
    states = load_states(model.config, recognizer)
    if states is not None:
        states.check(model.config)
    return states


@click.command("tools.export")
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
@click.option(
    "--calibrate-on",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="MANIFEST",
    help="Recordings that the run has not met: one half of their speakers for the calibration, the "
    "other for the thresholds.  [default: the run's own, of its development set]",
)
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Most recordings to compare on, spread over the manifest.  [default: all]",
)
@click.option(
    "--quantization",
    type=click.Choice(["auto", *QUANTIZATIONS]),
    default="auto",
    show_default=True,
    help="auto: the faster one of those that lose at most 0.2 points of equal error rate.",
)
@click.option("--name", help="Name of the model.  [default: turbo-RECIPE, of the run]")
@click.option("--package-version", default="1.0", show_default=True, help="Version of the model.")
@click.option("--language", default="en", show_default=True, help="Code of the texts' language.")
@click.option(
    "--license",
    "licence",
    help="Of the weights.  [default: of the package they began as, else not stated]",
)
@click.option(
    "--recognizer",
    metavar="DIR",
    help="The Whisper whose states the network reads.  [default: that of the run]",
)
@click.option(
    "--parity",
    "parity_folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also measure load time, memory and speed beside PyTorch and smart-turn; report there.",
)
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
    calibrate_on: Path | None,
    count: int | None,
    quantization: str,
    name: str | None,
    package_version: str,
    language: str,
    licence: str | None,
    recognizer: str | None,
    parity_folder: Path | None,
    report: tuple[Path, ...],
) -> None:
    """Write the fp32 and INT8 graphs of the run in FOLDER, compare them, and make the package."""
    console = Console(stderr=True)
    model, tokenizer, config, metrics = read_run(folder)
    origin = Origin.read(folder)
    name = name or f"turbo-{config['name']}"
    licence = licence or (origin.license if origin else None)
    if parity_folder is not None and states_width(model):
        raise InputError(
            "--parity measures systems that hear the sound itself; this network reads the states "
            "of a recognizer: leave --parity out"
        )
    with tempfile.TemporaryDirectory() as scratch:
        graphs = {name: Path(scratch, f"{name}.onnx") for name in (FLOAT, *QUANTIZATIONS)}
        sets = synthetic_sets(model)
        states = None
        if manifest is not None or calibrate_on is not None:
            states = _states(model, recognizer or config["data"].get("recognizer", ""))
        if manifest is not None:
            with console.status("reading"):
                sets = recorded_sets(model, tokenizer, manifest, hypotheses, count, states)
        with console.status("exporting"):
            try:
                export_fp32(model, graphs[FLOAT])
            except RuntimeError as error:
                raise TurboStreamError(str(error)) from error
            quantize_dynamic(graphs[FLOAT], graphs["dynamic"])
            quantize_static(graphs[FLOAT], graphs["static"], sets.calibration)
        halves, held = None, []
        if calibrate_on is not None:
            with console.status("calibrating"):
                labels = model.config.labels
                rows = read_manifest(calibrate_on, labels, read_hypotheses(hypotheses))
                halves = split_known(rows, config, metrics)
                fit, held = (
                    [recorded_item(model, tokenizer, row, states) for row in half]
                    for half in (halves.fit, halves.held)
                )
                metrics = {**metrics, **calibrated(labels, graphs[FLOAT], fit, held)}
        with console.status("comparing"):
            compared = _compared(model, metrics, graphs, sets, quantization)
        parity = compared.report
        int8 = graphs[parity["quantization"]["chosen"]]
        if parity_folder is not None:
            with console.status("measuring"):
                parity = _measured(model, folder, graphs, parity)
            directed = decision_of(model, metrics).directed
            write_report(parity_folder, name, parity, compared.probabilities, directed)
        if calibrate_on is not None and halves is not None:
            affine = decision_of(model, metrics).calibration
            metrics["calibrated"] = calibration_report(
                calibrate_on, halves, held, model.config.labels, int8, affine
            )
        reports = {path.stem: json.loads(path.read_text("utf-8")) for path in report}
        bases = base_models(config["model"]) if origin is None else origin.as_base_models()
        card = model_card(
            config,
            metrics,
            parity,
            data=metrics["data"],
            bases=bases,
            name=name,
            version=package_version,
            language=language,
            licence=licence,
        )
        chose = chosen_by(config, metrics, halves)
        write_package(
            out,
            name=name,
            version=package_version,
            language=language,
            graph=int8,
            tokenizer=folder / "tokenizer.json",
            card=card,
            config=config["model"],
            metrics=metrics,
            training={
                "license": licence or NOT_STATED,
                "base_models": bases,
                "data": metrics["data"],
                **({} if chose is None else {"chosen_by": chose}),
            },
            parity=parity,
            reports=reports,
        )
    shown = {
        key: np.round(value, 6) if isinstance(value, float) else value
        for key, value in parity.items()
    }
    print(json.dumps({"package": str(out), **shown}))


if __name__ == "__main__":
    sys.exit(run_command(main))
