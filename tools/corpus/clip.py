"""One row of the corpus before it is spoken."""

from __future__ import annotations

from dataclasses import dataclass

from tools.corpus.context import Context
from tools.corpus.scene import Scene
from tools.corpus.style import Style
from tools.corpus.text_item import TextItem
from tools.corpus.voices import Voice


@dataclass(frozen=True)
class PlannedClip:
    """Who says what, how, and where."""

    number: int
    item: TextItem
    voice: Voice
    rate: float
    """Speed against the engine's normal one."""
    pitch: float
    """Factor on fundamental and formants together: another, larger or smaller talker."""
    level_db: float
    """Level of the speech in dBFS (RMS)."""
    tone: float = 0.0
    """Fundamental alone, in semitones."""
    scene: Scene = Scene(0)
    spoken: str = ""
    """The text as the synthesizer is given it, where that is not the text itself."""
    style: Style | None = None
    facing: str | None = None
    """`device` or `away`; None where no room is simulated."""
    context: Context | None = None
