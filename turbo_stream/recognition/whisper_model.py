"""Which folder a Whisper model's name means, and whether that folder is whole."""

import re
from dataclasses import dataclass
from pathlib import Path

from turbo_stream.errors import InputError
from turbo_stream.recognition import _hub as hub
from turbo_stream.recognition.whisper_settings import check_settings

# Without `turbo`, the usual short name of large-v3-turbo: here that word means the classifier.
REPOSITORIES = {
    "tiny.en": "Systran/faster-whisper-tiny.en",
    "tiny": "Systran/faster-whisper-tiny",
    "base.en": "Systran/faster-whisper-base.en",
    "base": "Systran/faster-whisper-base",
    "small.en": "Systran/faster-whisper-small.en",
    "small": "Systran/faster-whisper-small",
    "medium.en": "Systran/faster-whisper-medium.en",
    "medium": "Systran/faster-whisper-medium",
    "large-v3": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-small.en": "Systran/faster-distil-whisper-small.en",
    "distil-medium.en": "Systran/faster-distil-whisper-medium.en",
    "distil-large-v3": "Systran/faster-distil-whisper-large-v3",
}
"""Names and the repositories of the Hugging Face Hub that hold their CTranslate2 weights."""

_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*")


class UnknownModel(InputError):
    """No Whisper has that name."""


@dataclass(frozen=True)
class ModelFolder:
    """A Whisper model on this machine."""

    name: str
    """As given, or the folder's own name."""

    path: Path


def find_model(model: str | Path) -> ModelFolder:
    """Return the folder that `model` means: a folder, a name, or an `owner/name` of the Hub.

    A name is looked for in the local cache of the Hub, then downloaded. Raises `InputError` where
    the folder is not whole or the download fails, `UnknownModel` where there is no such name.
    """
    path = Path(model)
    if path.is_dir():
        return ModelFolder(path.resolve().name, _checked(path))
    if path.exists():
        raise InputError(f"{model} is a file: give the folder of a CTranslate2 Whisper model")
    name = str(model)
    repository = REPOSITORIES.get(name, name)
    if isinstance(model, Path) or not _REPOSITORY.fullmatch(repository):
        raise UnknownModel(
            f"{name} is neither a folder nor a Whisper model: give a folder, one of "
            f"{', '.join(REPOSITORIES)}, or an owner/name of the Hugging Face Hub"
        )
    return ModelFolder(name, _checked(hub.cached(repository) or hub.download(repository)))


def _checked(path: Path) -> Path:
    """Return `path` if it holds what a model needs; else raise `InputError` with what is amiss."""
    missing = [
        name
        for name in ("config.json", "model.bin", "tokenizer.json")
        if not Path(path, name).is_file()
    ]
    if not any(path.glob("vocabulary.*")):
        missing.append("vocabulary.json")
    if missing:
        raise InputError(
            f"{path} is not a whole CTranslate2 Whisper model: {', '.join(missing)} missing; "
            "copy the folder again or make it with ct2-transformers-converter"
        )
    check_settings(path)
    return path
