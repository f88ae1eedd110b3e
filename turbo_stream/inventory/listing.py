"""Finds the models of this machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import SHIPPED, ModelPackage
from turbo_stream.errors import InputError, PackageError
from turbo_stream.recognition.moonshine_model import (
    DISTRIBUTION,
    HOW_TO_GET_IT,
    find_moonshine,
    is_moonshine,
    packaged_folder,
)
from turbo_stream.recognition.moonshine_model import FILES as MOONSHINE_FILES
from turbo_stream.recognition.whisper_model import REPOSITORIES, find_model

State = Literal["present", "incomplete", "absent"]


@dataclass(frozen=True)
class Model:
    """A Turbo package or a recognizer's model."""

    kind: Literal["turbo", "whisper", "moonshine"]

    name: str
    """A package's own name; what `asr` takes for a recognizer's model."""

    state: State

    path: Path | None = None
    """Its folder; None where it is absent."""

    size_bytes: int | None = None
    """Bytes of its files; None where it is absent."""

    detail: str = ""
    """Version, where it is from or how to get it, or what is amiss."""

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON-ready dict."""
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "path": None if self.path is None else str(self.path),
            "size_bytes": self.size_bytes,
            "detail": self.detail,
        }


def folder_size(folder: Path) -> int:
    """Return the bytes of the files below `folder`; links count as what they lead to."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


_WEIGHTS = "model.bin"
"""What a CTranslate2 model has, and other repositories in the Hub's cache rarely."""

MOONSHINE = "moonshine"
"""What `asr` takes for the model of the package that is installed."""


def list_models(folders: Iterable[Path] = ()) -> list[Model]:
    """Return the shipped package, those in `folders`, and what recognizers can be given by name.

    PocketSphinx is none of them: its model ships, and there is no other by name. Nothing is
    downloaded and the network is not asked.
    """
    given = [model_in(folder) for folder in folders]
    return [turbo_package(SHIPPED), *given, *whisper_models(), moonshine_model()]


def model_in(folder: Path) -> Model:
    """Return the model in `folder`; InputError if it holds none."""
    if (folder / MANIFEST_NAME).is_file():
        return turbo_package(folder)
    if is_moonshine(folder):
        return _moonshine_folder(str(folder), folder, "")
    if (folder / _WEIGHTS).is_file() or (folder / "config.json").is_file():
        return _whisper_folder(str(folder), folder, "")
    raise InputError(
        f"{folder} holds no model: a Turbo package has {MANIFEST_NAME}, a Whisper model "
        f"{_WEIGHTS}, a Moonshine model {MOONSHINE_FILES[0]}"
    )


def turbo_package(folder: Path) -> Model:
    """Return the package in `folder`, whole or not."""
    name = folder.name if folder == SHIPPED else str(folder)
    try:
        package = ModelPackage.load(folder)
    except PackageError as error:
        return Model("turbo", name, "incomplete", folder, folder_size(folder), str(error))
    shipped = ", ships with turbo_stream" if folder == SHIPPED else ""
    detail = f"{package.name} {package.version}, {package.language}{shipped}"
    return Model("turbo", package.name, "present", folder, folder_size(folder), detail)


def whisper_models() -> list[Model]:
    """Return the models that have a short name, then others in the Hub's cache."""
    cached = cached_snapshots()
    known = [
        _whisper_folder(name, cached[repository], repository)
        if repository in cached
        else Model("whisper", name, "absent", detail=repository)
        for name, repository in REPOSITORIES.items()
    ]
    others = [
        _whisper_folder(repository, folder, repository)
        for repository, folder in sorted(cached.items())
        if repository not in REPOSITORIES.values() and (folder / _WEIGHTS).exists()
    ]
    return known + others


def moonshine_model() -> Model:
    """Return the model that the package `moonshine-voice` brings, or how to get it."""
    folder = packaged_folder()
    if folder is None:
        return Model("moonshine", MOONSHINE, "absent", detail=HOW_TO_GET_IT)
    return _moonshine_folder(MOONSHINE, folder, f"in the package {DISTRIBUTION}")


def cached_snapshots() -> dict[str, Path]:
    """Return the folder of the current snapshot of every model in the Hub's cache."""
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        cache = scan_cache_dir(constants.HF_HUB_CACHE)
    except CacheNotFound:
        return {}
    return {
        repository.repo_id: max(
            repository.revisions, key=lambda r: ("main" in r.refs, r.last_modified)
        ).snapshot_path
        for repository in cache.repos
        if repository.repo_type == "model" and repository.revisions
    }


def _whisper_folder(name: str, folder: Path, detail: str) -> Model:
    try:
        find_model(folder)
    except InputError as error:
        return Model("whisper", name, "incomplete", folder, folder_size(folder), str(error))
    return Model("whisper", name, "present", folder, folder_size(folder), detail)


def _moonshine_folder(name: str, folder: Path, detail: str) -> Model:
    try:
        size = find_moonshine(folder).size_bytes
    except InputError as error:
        return Model("moonshine", name, "incomplete", folder, folder_size(folder), str(error))
    return Model("moonshine", name, "present", folder, size, detail)
