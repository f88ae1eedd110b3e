"""A model package on disk: `turbo.json` with hashes, graph, tokenizer and card."""

import hashlib
import json
import shutil
from pathlib import Path

from models.audio.recognizer import RECOGNIZER
from training.fitting.checkpoint import write_json
from turbo_stream._util.files import write_text
from turbo_stream.detection.audio_input import KIND
from turbo_stream.detection.package import NAMES

FORMAT = 1
GRAPH = "model.int8.onnx"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def replace_card(folder: Path, card: str, training: dict) -> None:
    """Write another card, and what it says of the training, into a package; its hash follows."""
    manifest = json.loads((folder / "turbo.json").read_text("utf-8"))
    write_text(folder / "README.md", card)
    manifest["files"]["README.md"] = sha256(folder / "README.md")
    manifest["training"] = training
    write_json(folder / "turbo.json", manifest)


def _audio_input(config: dict) -> dict:
    """Return the key that binds a network to the recognizer whose states it reads, if it does."""
    if config["audio"] != RECOGNIZER:
        return {}
    return {"audio_input": {"kind": KIND, **json.loads(config["audio_architecture"])}}


def _inputs(config: dict) -> dict:
    """Return the keys that say how the network is given words and sound, where they are needed."""
    given = config.get("text_input", NAMES)  # older networks do not say
    cut = config.get("cut_to_speech", False) and config["audio"] != RECOGNIZER
    return {
        **({} if given == NAMES else {"text_input": given}),
        **({"cut_to_speech": True} if cut else {}),
    }


def write_package(
    folder: Path,
    *,
    name: str,
    version: str,
    language: str,
    graph: Path,
    tokenizer: Path,
    card: str,
    config: dict,
    metrics: dict,
    training: dict,
    parity: dict,
    reports: dict,
) -> None:
    """Fill `folder` and, last, write the `turbo.json` that makes it a package.

    `config` is the network's, `metrics` those of its training run. A network whose labels are not
    directed and not_directed has no operating points, and `threshold` is null.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "turbo.json").unlink(missing_ok=True)
    shutil.copyfile(graph, folder / GRAPH)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    (folder / "README.md").write_text(card, "utf-8")
    points = metrics.get("operating_points", {})
    turn = metrics.get("end_of_turn")
    files = {name: sha256(folder / name) for name in (GRAPH, "tokenizer.json", "README.md")}
    write_json(
        folder / "turbo.json",
        {
            "format": FORMAT,
            "name": name,
            "version": version,
            "language": language,
            "labels": config["labels"],
            "sample_rate": config["sample_rate"],
            "max_seconds": config["max_seconds"],
            "max_tokens": config["max_tokens"],
            "threshold": points["balanced"]["threshold"] if points else None,
            "operating_points": points,
            "calibration": metrics["calibration"],
            **_inputs(config),
            **({"end_of_turn": {"threshold": turn["threshold"]}} if turn else {}),
            "training": training,
            "metrics": {
                "development": metrics["development"],
                "parity": parity,
                **({"calibration": metrics["calibrated"]} if "calibrated" in metrics else {}),
                **({"end_of_turn": turn} if turn else {}),
                **reports,
            },
            **_audio_input(config),
            "files": files,
        },
    )
