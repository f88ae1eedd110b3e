"""The models: the package that ships, speech detection, and what recognizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from turbo_stream.doctor.check import Check
from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from turbo_stream.inventory.listing import Model


def look_at_package(model: str | Path | None) -> list[Check]:
    """Return whether the Turbo package is whole, and runs."""
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.detection.turbo import TurboDetector

    name = "turbo package"
    try:
        package = ModelPackage.load(None if model is None else Path(model))
        TurboDetector(package).warm_up()
    except InputError as error:
        advice = "install again, in the checkout: pip install --force-reinstall --no-deps ."
        advice = advice if model is None else ""
        return [Check(name, "missing", str(error), advice)]
    return [Check(name, "ok", f"{package.name} {package.version}, hashes verified, runs")]


def look_at_vad() -> list[Check]:
    """Return whether speech detection runs."""
    from turbo_stream.segmentation.vad import load_vad

    vad = load_vad()
    vad.speech_probability(np.zeros(vad.frame_samples, np.int16))
    return [Check("vad", "ok", f"{vad.name}, runs")]


def look_at_recognizers() -> list[Check]:
    """Return which models of recognizers are here; PocketSphinx ships and always is."""
    from turbo_stream.inventory.listing import moonshine_model, whisper_models
    from turbo_stream.recognition.auto import AUTO_MODEL

    found = {model.name: model for model in whisper_models()}
    present = [model for model in found.values() if model.state == "present"]
    checks = []
    for model in found.values():
        if model.state == "incomplete":
            advice = f"turbo-models download {model.name}"
            checks.append(Check(f"whisper {model.name}", "note", model.detail, advice))
    if present:
        names = ", ".join(f"{m.name} ({_megabytes(m)})" for m in present)
        checks.append(Check("whisper", "ok", names))
    if found[AUTO_MODEL].state == "absent":
        advice = (
            f"turbo-models download {AUTO_MODEL} (76 MB); without it and without the network "
            "PocketSphinx recognizes, which errs several times as often"
        )
        checks.append(Check(f"whisper {AUTO_MODEL}", "note", "not on this machine", advice))
    return [*checks, _moonshine(moonshine_model())]


def _moonshine(model: Model) -> Check:
    if model.state == "present":
        found = f"{_megabytes(model)}, {model.detail}: {model.path}"
        return Check("moonshine", "ok", found)
    if model.state == "incomplete":
        return Check("moonshine", "note", model.detail)
    return Check("moonshine", "note", "not on this machine", f"{model.detail}, if it is wanted")


def _megabytes(model: Model) -> str:
    return f"{(model.size_bytes or 0) / 1e6:.0f} MB"
