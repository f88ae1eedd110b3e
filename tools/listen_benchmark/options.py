"""What is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The recording and the models."""

    recording: Path
    asr: str
    """As for `turbo-listen --asr`."""
    model: str | None
    """Turbo package; None for the one that ships."""
    vad: str | None

    @property
    def flags(self) -> list[str]:
        """The options of `turbo-listen` that choose these models."""
        chosen = [("--asr", self.asr), ("--model", self.model), ("--vad", self.vad)]
        return [text for flag, value in chosen if value for text in (flag, value)]
