"""Recordings to judge by, with what a recognizer heard in each."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.hypotheses import Hypothesis, hypotheses_of, read_hypotheses
from training.data.row import text_key
from turbo_stream import Confidence, InputError, Transcript
from turbo_stream.detection.package import DIRECTED, NOT_DIRECTED
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.labels import check_spelling
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest
from turbo_stream.recognition.recognizer import NOT_HEARD


@dataclass(frozen=True)
class Recording:
    """One labelled utterance."""

    path: Path
    name: str
    """`audio_filepath` as the manifest has it."""

    directed: bool
    collection: str
    group: str
    """What stays on one side: speaker, caller, or the recording itself."""

    names: tuple[str, ...]
    """What the device of the recording is called."""

    text: str | None
    """True words; None where unknown."""

    heard: Transcript | None
    """A recognizer's words; None where none listened."""

    offset_s: float = 0.0
    duration_s: float | None = None

    fold: str | None = None
    """`train`, `dev` or `test` where the manifest says so."""

    nominal: bool = False
    """Labelled by name only: the words are not said to anybody."""

    keep_s: float | None = None
    """Of its speech only so much is heard, a random part; None for the whole recording."""

    matched: bool | None = None
    """Of a word cut out: one of as many of either class; None elsewhere."""

    @property
    def transcript(self) -> Transcript:
        """What the model is given: a recognizer's words, or else the true ones, or none."""
        return self.heard if self.heard is not None else self.spoken

    @property
    def spoken(self) -> Transcript:
        """The true words; that nobody wrote them down is no sign that nobody spoke."""
        return Transcript(self.text) if self.text else NOT_HEARD

    @property
    def words(self) -> tuple[str, ...]:
        """The true words, or else those heard, in lower case without punctuation."""
        return plain_words(self.text if self.text is not None else self.transcript.text)

    def pcm(self) -> NDArray[np.int16]:
        """Return the sound, `[N]` int16 at 16 kHz; InputError where there is none."""
        return read_clip(self.path, self.offset_s, self.duration_s)


def plain_words(text: str) -> tuple[str, ...]:
    """Return the words of `text` in lower case."""
    return tuple(text_key(text).split())


def read_recordings(manifest: Path, hypotheses: Iterable[Path] = ()) -> list[Recording]:
    """Read a manifest as `turbo-eval` does, and what recognizers heard.

    Raises:
        InputError: a file is not what it should be, or no row has a label.
    """
    heard = read_hypotheses(hypotheses)
    items = read_manifest(manifest)
    check_spelling(
        (
            (f"{manifest}, item {item.index + 1}", item.row["label"])
            for item in items
            if item.row.get("label")
        ),
        (DIRECTED, NOT_DIRECTED),
    )
    found = [
        _recording(item, hypotheses)
        for item, hypotheses in zip(items, hypotheses_of(items, heard), strict=True)
        if item.row.get("label")
    ]
    if not found:
        raise InputError(f'{manifest} has no labelled rows; give every row a "label"')
    return found


def _recording(item: Item, hypotheses: tuple[Hypothesis, ...]) -> Recording:
    row = item.row
    name = row["audio_filepath"]
    return Recording(
        path=item.path,
        name=name,
        directed=row["label"] == DIRECTED,
        collection=str(row.get("set") or row.get("engine") or row.get("source") or "recordings"),
        group=str(row.get("group") or row.get("voice") or row.get("speaker") or name),
        names=(item.device_name,) if item.device_name else (),
        text=item.text,
        heard=_transcript(hypotheses[0]) if hypotheses else None,
        offset_s=item.offset_s,
        duration_s=item.duration_s,
        fold=row.get("fold"),
        nominal=bool(row.get("nominal")),
        matched=row.get("matched"),
    )


def _transcript(hypothesis: Hypothesis) -> Transcript:
    logprob, no_speech, ratio, missing = hypothesis.confidence
    confidence = None if missing else Confidence(logprob, no_speech, ratio)
    known = bool(hypothesis.text or not missing)
    return Transcript(hypothesis.text, confidence, known=known, language=hypothesis.language)
