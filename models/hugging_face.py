"""Reads encoders in the layout of Hugging Face transformers, by name or from a folder."""

import importlib
import json
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from models.config import ModelError
from models.sound_library import load_torchaudio

PREFIX = "hf:"

_DROPOUTS = (
    "hidden_dropout",
    "hidden_dropout_prob",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "activation_dropout",
    "feat_proj_dropout",
    "dropout",
    "embedding_dropout",
    "mlp_dropout",
)
"""What the configurations of encoders call the probability of a dropout."""

_OTHER_NOISE = ("layerdrop", "encoder_layerdrop", "mask_time_prob", "mask_feature_prob")
"""Other ways to be random in training. Off: the two views are to differ by dropout alone."""


def _transformers() -> ModuleType:
    """Import transformers, which wants torchaudio to be importable if it is installed at all."""
    with suppress(ModuleNotFoundError):
        load_torchaudio()
    return importlib.import_module("transformers")


def hugging_face_name(tower: str) -> str:
    """Return NAME of `hf:NAME`, a folder or a name on the Hub."""
    return tower.removeprefix(PREFIX)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _refuse(name: str, what: str, error: Exception) -> ModelError:
    return ModelError(
        f"{PREFIX}{name}: {what} cannot be loaded ({_one_line(error)}); give a folder that "
        "save_pretrained of transformers wrote, or a name on the Hub"
    )


def read_architecture(name: str) -> dict[str, Any]:
    """Return the configuration of the model `name`, as its `config.json` has it.

    Raises:
        ModelError: there is no such model, or it is of no known kind.
    """
    configurations = _transformers().AutoConfig
    try:
        return json.loads(configurations.from_pretrained(name).to_json_string())
    except Exception as error:  # transformers' errors share no narrower base
        raise _refuse(name, "config.json", error) from error


def reads_normalized(name: str) -> bool | None:
    """Return whether model `name` wants a normalized waveform; None where it does not say."""
    extractors = _transformers().AutoFeatureExtractor
    try:
        return bool(getattr(extractors.from_pretrained(name), "do_normalize", False))
    except Exception:  # as above; the model's own default is taken then
        return None


def read_model(name: str) -> Any:
    """Return the model `name` with its weights.

    Raises:
        ModelError: it cannot be loaded.
    """
    transformers = _transformers()
    try:
        return transformers.AutoModel.from_pretrained(name)
    except Exception as error:  # as above
        raise _refuse(name, "the weights", error) from error


def read_tokenizer_json(name: str) -> str:
    """Return the text of the model's `tokenizer.json`.

    Raises:
        ModelError: it has no fast tokenizer.
    """
    from transformers.utils import cached_file

    try:
        file: Any = cached_file(name, "tokenizer.json")
        return Path(file).read_text("utf-8")
    except Exception as error:  # as above
        raise _refuse(name, "tokenizer.json", error) from error


def build_model(architecture: str, dropout: float) -> Any:
    """Return a model with random weights from a configuration as JSON.

    Every dropout of its layers has the probability `dropout`, and nothing else in it is random.

    Raises:
        ModelError: `architecture` is no configuration that this transformers knows.
    """
    transformers = _transformers()
    try:
        fields = json.loads(architecture)
        for name in ("dtype", "torch_dtype", "transformers_version"):
            fields.pop(name, None)
        config = transformers.AutoConfig.for_model(fields.pop("model_type"), **fields)
        for name in _DROPOUTS:
            if isinstance(getattr(config, name, None), float | int):
                setattr(config, name, dropout)
        for name in _OTHER_NOISE:
            if hasattr(config, name):
                setattr(config, name, 0.0)
        config.apply_spec_augment = False
        return transformers.AutoModel.from_config(config)
    except Exception as error:  # as above
        raise ModelError(
            f"architecture: no configuration that transformers can build ({_one_line(error)}); "
            'give what config.json of a model holds, at least {"model_type": "..."}'
        ) from error
