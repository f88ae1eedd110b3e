"""A Moonshine model on this machine: in a folder, or in the package that brings one."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from turbo_stream._util.files import read_file
from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError
from turbo_stream.recognition.backends import BACKENDS

FILES = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
"""What a folder of Moonshine holds."""

DISTRIBUTION = BACKENDS["moonshine"].distribution
"""The package that brings one, in versions before 0.1."""

HOW_TO_GET_IT = "pip install 'turbo-listen[moonshine]'"

_PACKAGE = "moonshine_voice"
_IN_PACKAGE = Path("assets", "tiny-en")

_MOST_BYTES = 16 * 2**20
"""Of the tokens; they take a quarter of a MiB."""

_MOST_TOKENS = 1_000_000

_BLANK = "▁"
"""How a token writes the blank before a word."""


@dataclass(frozen=True)
class MoonshineFolder:
    """A Moonshine model on this machine."""

    path: Path
    tokens: list[bytes]
    """The text of each, in order."""

    @property
    def encoder(self) -> Path:
        """The graph that hears."""
        return self.path / FILES[0]

    @property
    def decoder(self) -> Path:
        """The graph that writes."""
        return self.path / FILES[1]

    @property
    def size_bytes(self) -> int:
        """Of the files that are used; the folder may hold others."""
        return sum((self.path / name).stat().st_size for name in FILES)


def is_moonshine(folder: Path) -> bool:
    """Return whether `folder` holds a Moonshine model rather than a Whisper one."""
    return any((folder / name).exists() for name in FILES[:2])


def find_moonshine(folder: Path | None = None) -> MoonshineFolder:
    """Return the model in `folder`, by default in the installed package `moonshine-voice`.

    Raises:
        InputError: the package or a file is missing, or the file of tokens is damaged.
    """
    path = _packaged() if folder is None else folder
    if missing := [name for name in FILES if not (path / name).is_file()]:
        raise InputError(
            f"{shown(path)} is not a whole Moonshine model: {', '.join(missing)} missing; "
            "copy the folder again"
        )
    try:
        tokens = _tokens(read_file(path / FILES[2], _MOST_BYTES))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{shown(path / FILES[2])} is damaged ({error}); copy the model folder again"
        ) from error
    return MoonshineFolder(path.resolve(), tokens)


def packaged_folder() -> Path | None:
    """Return where the installed package `moonshine-voice` has its model; None without one."""
    # Where it stands is all that is asked: the package itself is not imported.
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(found.origin).parent / _IN_PACKAGE if found and found.origin else None
    return folder if folder is not None and is_moonshine(folder) else None


def _packaged() -> Path:
    if (folder := packaged_folder()) is None:
        installed = importlib.util.find_spec(_PACKAGE) is not None
        why = "has none in this version" if installed else "is not installed"
        raise InputError(
            f"Moonshine's model is taken from the package {DISTRIBUTION}, which {why}: "
            f"{HOW_TO_GET_IT}, or give the folder of a Moonshine model"
        )
    return folder


def _tokens(data: bytes) -> list[bytes]:
    """Return the text of each token: a length, in one byte or two, and as many bytes of UTF-8."""
    found, at = [], 0
    while at < len(data):
        size, at = data[at], at + 1
        if size >= 128:
            if at == len(data):
                raise ValueError("it ends within a length")
            size, at = size - 128 + 128 * data[at], at + 1
        if at + size > len(data):
            raise ValueError("it ends within a token")
        found.append(data[at : at + size])
        at += size
    if not 2 < len(found) <= _MOST_TOKENS:
        raise ValueError(f"it has {len(found)} tokens")
    return found


def written(tokens: list[bytes]) -> str:
    """Return the text that `tokens` make together."""
    return b"".join(tokens).decode("utf-8", "replace").replace(_BLANK, " ").strip()
