"""One item of training data, and the keys it is told apart by."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from training.data.clip import Clip
from training.data.hypotheses import MISSING, Confidence, Hypothesis


@dataclass(frozen=True)
class Row:
    """One item: a recording with what is known of its words, or a line of text alone."""

    audio: Path | None
    """None for a line of text."""

    label: int
    """Index into the recipe's labels."""

    text: str | None
    """True words; None where unknown."""

    hypotheses: tuple[Hypothesis, ...]
    """What recognizers heard; may be empty."""

    collection: str
    """Where it comes from: `set` of the manifest, or its `engine`, or the text file's name."""

    group: str
    """Unit that stays on one side of a split, the same in every collection."""

    names: tuple[str, ...]
    """Names of the device of this row."""

    before: str = ""
    """The turn before: what the device or another person had just said; empty where unknown."""

    offset_s: float = 0.0
    """Where in the file the recording begins, seconds."""

    duration_s: float | None = None
    """How long it is, seconds; None for the rest of the file."""

    synthetic: bool = False
    """Spoken by a machine: its manifest names the `engine`."""

    fold: str | None = None
    """`train`, `dev` or `test` where the manifest says so."""

    shippable: bool = True
    """False where the manifest says that weights made with it may not be given away."""

    text_source: str | None = None
    """Of a synthetic clip: the collection of text that it speaks."""

    source: str | None = None
    """Where the collection can be found."""

    license: str | None = None
    """Licence of the row."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Every plain column of the manifest, as text: what folds are made by."""

    @property
    def clip(self) -> Clip:
        """The sound of a recording."""
        if self.audio is None:
            raise ValueError("a line of text has no sound")
        return Clip(self.audio, self.offset_s, self.duration_s)

    def words(self, transcripts: str) -> tuple[str, Confidence]:
        """Return the words and their confidence as `transcripts` (see `DataConfig`) has them.

        Where both are allowed (`auto`), what a recognizer heard comes before the true text.
        """
        if transcripts in ("auto", "asr") and self.hypotheses:
            return self.hypotheses[0].text, self.hypotheses[0].confidence
        if transcripts in ("auto", "gold"):
            return self.text or "", MISSING
        return "", MISSING

    def key(self, column: str) -> str | None:
        """Return what `column` says of this row, None where it says nothing.

        `group` and `text` mean the fields above, `text` without case and punctuation.
        """
        if column == "group":
            return self.group
        if column == "text":
            return text_key(self.text) or None if self.text else None
        return self.columns.get(column)


def text_key(text: str) -> str:
    """Return `text` as the tokenizer's cleaning sees it: what makes two transcripts the same."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))
