"""What a run is: everything that its scores depend on, apart from the manifest."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from turbo_stream.recognition.window import WindowConfig

Mode = Literal["utterance", "stream"]


@dataclass(frozen=True)
class ScoringSettings:
    """Sent to every worker; two runs with equal settings give equal scores."""

    mode: Mode = "utterance"
    """`utterance`: a row is one clip. `stream`: a row is a long recording with spans."""

    model: str | None = None
    """Folder of the Turbo package; None for the one that ships."""

    asr: str = "auto"
    """Recognizer as in `turbo-listen --asr`."""

    window: WindowConfig = field(default_factory=WindowConfig)
    """How much of its 30 s Whisper reads."""

    gold_text: bool = False
    """Take the manifest's `text` instead of recognizing."""

    vad: str | None = None
    """Of stream mode; None for the default."""

    names: tuple[str, ...] = ()
    """What the device is called where the manifest has no `device_name`."""

    condition: str = "clean"
    """The condition that the sound is put under, see `conditions`."""

    seed: int = 0
    """Of the condition."""

    def resolved(self) -> ScoringSettings:
        """Return the settings with absolute folders, so that any worker finds them."""
        model = None if self.model is None else str(Path(self.model).resolve())
        asr = str(Path(self.asr).resolve()) if Path(self.asr).is_dir() else self.asr
        return replace(self, model=model, asr=asr)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON-ready dict."""
        return {**asdict(self), "names": list(self.names)}
