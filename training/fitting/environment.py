"""What a run was made with: versions, machine, commit, and the package it began from."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from training.fitting.checkpoint import write_json
from turbo_stream.detection.package import ModelPackage

_PACKAGES = (
    "torch",
    "torchaudio",
    "transformers",
    "tokenizers",
    "safetensors",
    "numpy",
    "scipy",
    "scikit-learn",
    "soxr",
)

_CHECKOUT = Path(__file__).parents[2]

_FILE = "origin.json"


def describe() -> dict[str, Any]:
    """Return what a figure depends on besides its configuration; nothing that names the machine.

    `commit` is null outside a git checkout; `dirty` tells whether tracked files were changed.
    """
    changes = _git("status", "--porcelain", "--untracked-files=no")
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
        "cuda": torch.version.cuda,
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": gpus,
        "ranks": int(os.environ.get("WORLD_SIZE", "1")),
        "commit": _git("rev-parse", "HEAD"),
        "dirty": None if changes is None else bool(changes),
    }


@dataclass(frozen=True)
class Origin:
    """The package whose weights a run began with."""

    name: str
    version: str

    license: str | None
    """Of its weights."""

    base_models: list[dict]
    """What it was itself made from: names and licences."""

    @classmethod
    def of_package(cls, package: ModelPackage) -> Origin:
        """Return what has to be said of `package` wherever its weights go."""
        training = package.training
        return cls(
            name=package.name,
            version=package.version,
            license=training.get("license"),
            base_models=list(training.get("base_models", [])),
        )

    @classmethod
    def read(cls, folder: Path) -> Origin | None:
        """Return what a run's folder says, None for a run that no package was the start of."""
        path = folder / _FILE
        return cls(**json.loads(path.read_text("utf-8"))) if path.exists() else None

    def as_base_models(self) -> list[dict]:
        """Return the package and what it was made from, as a package's `base_models` names them."""
        own = {"name": f"{self.name} {self.version}", "license": self.license}
        return [own, *self.base_models]

    def write(self, folder: Path) -> None:
        """Write it into a run's folder."""
        write_json(folder / _FILE, asdict(self))


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(_CHECKOUT), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the model of the CPU, where the system tells."""
    table = Path("/proc/cpuinfo")
    if table.exists():
        for line in table.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
