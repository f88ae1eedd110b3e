"""A trained model on disk: weights, configuration and tokenizer in one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor

from models.config import TurboConfig
from models.turbo import Turbo
from training.fitting.recipe import Recipe

WEIGHTS = "best.safetensors"


def write_json(path: Path, content: object) -> None:
    """Write `content` under a temporary name, then rename."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    partial.rename(path)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write `tensors` under a temporary name, then rename."""
    partial = path.with_name(f"{path.name}.part")
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    save_file(kept, partial)
    partial.rename(path)


def save_weights(folder: Path, model: Turbo) -> None:
    """Write the weights of `model` as `best.safetensors`."""
    write_tensors(folder / WEIGHTS, model.state_dict())


def save_setup(folder: Path, recipe: Recipe, tokenizer: Tokenizer) -> None:
    """Write `config.json` and `tokenizer.json`, which the weights are of no use without."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", asdict(recipe))
    tokenizer.save(str(folder / "tokenizer.json"))


def load_model(folder: Path) -> tuple[Turbo, Tokenizer]:
    """Return the model and tokenizer of a training folder."""
    stored = json.loads((folder / "config.json").read_text("utf-8"))["model"]
    stored["labels"] = tuple(stored["labels"])
    model = Turbo(TurboConfig(**stored))
    model.load_state_dict(load_file(folder / WEIGHTS))
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))
