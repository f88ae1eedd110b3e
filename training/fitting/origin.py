"""Which package a run started from: its licence binds what is made of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from training.fitting.checkpoint import write_json
from turbo_stream.detection.package import ModelPackage

_FILE = "origin.json"


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
