"""The models: the package that ships, speech detection, and what recognizes."""

from pathlib import Path

import numpy as np

from turbo_stream.doctor.check import Check
from turbo_stream.errors import InputError


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
    """Return which Whisper models are here; PocketSphinx ships and always is."""
    from turbo_stream.inventory.listing import whisper_models
    from turbo_stream.recognition.auto import AUTO_MODEL

    found = {model.name: model for model in whisper_models()}
    present = [model for model in found.values() if model.state == "present"]
    checks = []
    for model in found.values():
        if model.state == "incomplete":
            advice = f"turbo-models download {model.name}"
            checks.append(Check(f"whisper {model.name}", "note", model.detail, advice))
    if present:
        names = ", ".join(f"{m.name} ({(m.size_bytes or 0) / 1e6:.0f} MB)" for m in present)
        checks.append(Check("whisper", "ok", names))
    if found[AUTO_MODEL].state == "absent":
        advice = (
            f"turbo-models download {AUTO_MODEL} (76 MB); without it and without the network "
            "PocketSphinx recognizes, which errs several times as often"
        )
        checks.append(Check(f"whisper {AUTO_MODEL}", "note", "not on this machine", advice))
    return checks
