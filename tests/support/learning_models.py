"""Models that learn from corrections: a package of a few kilobytes, and a file in a folder."""

from pathlib import Path

from tests.support.fakes import ScriptedRecognizer
from tests.support.tiny_package import write_package
from turbo_stream import Models, Settings


def learning_models(folder: Path, *, learns: bool = True, **choices) -> Models:
    """Return them; `learned.json` in `folder` is their file."""
    package = folder / "tiny"
    if not package.exists():
        write_package(package)
    learn = folder / "learned.json" if learns else None
    recognizer = choices.pop("asr", None) or ScriptedRecognizer()
    return Models.load(
        Settings(package, asr=recognizer, learn=learn, vad="webrtc", turn_model="none", **choices)
    )
