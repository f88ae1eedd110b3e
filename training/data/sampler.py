"""Draws rows, words, names and channels at random."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.data.batch import Batch, Example
from training.data.config import DataConfig
from training.data.corrupt import Mishearing
from training.data.features import AS_RECORDED, FeatureStore
from training.data.hypotheses import MISSING, Confidence
from training.data.line_draw import LineDraw
from training.data.names import NAMES
from training.data.row import Row, text_key
from turbo_stream.addressing.name_mark import OWN_NAME, mark_names
from turbo_stream.addressing.name_search import NameSearch

_UNTOLD_SHARE = 0.3
"""Of the recordings of a device with a name: as one that was not told it."""


def number_of(key: str) -> int:
    """Return a number that is equal for equal keys."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:6])


def variants_of(row: Row, data: DataConfig) -> Sequence[int]:
    """Return the random channels a recording is seen through in training, or none: as it is."""
    count = data.synthetic_variants if row.synthetic else data.variants
    return range(count) if count else (AS_RECORDED,)


@dataclass
class Sampler:
    """Draws balanced examples: first the class, then the collection, then the row.

    A collection is drawn in proportion to the square root of its size, so that a large one does
    not drown the rest.
    """

    rows: Sequence[Row]
    store: FeatureStore
    mishearing: Mishearing | None
    data: DataConfig
    directed: int | None
    """The class of speech to the device; None where the labels are others."""

    rng: random.Random

    batch: int
    """Examples of a batch."""

    no_text: float
    """Share of the recordings whose text is withheld."""

    no_audio: float
    """Share of the recordings with text whose sound is withheld."""

    names: Sequence[str] = NAMES
    """What a device may be called in a line."""

    def __post_init__(self) -> None:
        self._pools: dict[str, dict[int, dict[str, list[Row]]]] = {}
        for row in self.rows:
            kind = "text" if row.audio is None else "synthetic" if row.synthetic else "real"
            classes = self._pools.setdefault(kind, defaultdict(lambda: defaultdict(list)))
            classes[row.label][row.collection].append(row)
        texts = [row for row in self.rows if row.audio is None]
        self._lines = LineDraw(texts, self.directed, self.rng, self.names)
        self._searches: dict[tuple[str, ...], NameSearch] = {}
        self._marked: dict[tuple[tuple[str, ...], str], str] = {}
        heard = [h.confidence for row in self.rows for h in row.hypotheses if h.text]
        self._confidences = heard or [MISSING]
        self._before = self.rng.getstate()
        self._given = 0

    def _row(self, kind: str) -> Row:
        classes = self._pools[kind]
        collections = classes[self.rng.choice(sorted(classes))]
        names = sorted(collections)
        weights = [len(collections[name]) ** 0.5 for name in names]
        return self.rng.choice(collections[self.rng.choices(names, weights)[0]])

    def _kind(self) -> str:
        if "text" in self._pools and self.rng.random() < self.data.text_share:
            return "text"
        sounds = [kind for kind in ("real", "synthetic") if kind in self._pools]
        if len(sounds) == 2:
            return sounds[self.rng.random() < self.data.synthetic_share]
        return sounds[0] if sounds else "text"

    def _foreign_confidence(self, text: str) -> Confidence:
        """Return a confidence that says nothing of this row, so that giving one is no cue.

        Beside an empty `text` it would be one: that a recognizer has listened and found no word.
        """
        if not text:
            return MISSING
        return self.rng.choice(self._confidences) if self.rng.random() < 0.5 else MISSING

    def _words(self, row: Row) -> tuple[str, Confidence]:
        """Return what a recognizer might have made of a recording."""
        if self.data.transcripts != "auto":
            given = row.words(self.data.transcripts)
            return ("", MISSING) if self.rng.random() < self.no_text else given
        if self.rng.random() < self.no_text:
            return "", MISSING
        if row.hypotheses and (row.text is None or self.rng.random() < 0.6):
            heard = self.rng.choice(row.hypotheses)
            # Of no words the confidence alone tells that somebody listened: it always stays.
            kept = not heard.text or self.rng.random() < 0.6
            return heard.text, heard.confidence if kept else MISSING
        text = self._misheard(row.text or "", share=0.5)
        return text, self._foreign_confidence(text)

    def _misheard(self, text: str, *, share: float) -> str:
        if self.mishearing is None or self.rng.random() >= share:
            return text
        return self.mishearing(text, self.rng, rate=self.rng.uniform(0.05, 0.6))

    def _said(self, row: Row, text: str) -> str:
        """Return `text` as a device reads it: with its own name marked, if it was told the name."""
        if not text or not row.names or self.directed is None:
            return text
        if self.rng.random() < _UNTOLD_SHARE:
            return text
        if row.names not in self._searches:
            self._searches[row.names] = NameSearch(row.names)
        key = (row.names, text)
        if key not in self._marked:
            self._marked[key] = mark_names(text, self._searches[row.names])
        return self._marked[key]

    def _spoken_by_nobody(self) -> Example:
        """Return an example of a line of text."""
        line = self._lines.draw()
        pieces = (self._misheard(piece, share=0.4) for piece in line.text.split(OWN_NAME))
        text = f" {OWN_NAME} ".join(pieces).strip()
        words, line_key = number_of(text_key(line.text)), number_of(f"line {line.text}")
        confidence = self._foreign_confidence(text)
        return Example(None, text, confidence, line.label, line.before, words, line_key)

    def draw(self) -> Example:
        """Return one random example."""
        kind = self._kind()
        if kind == "text":
            return self._spoken_by_nobody()
        row = self._row(kind)
        variant = self.rng.choice(variants_of(row, self.data))
        borrows = not row.synthetic and "text" in self._pools
        if borrows and self.rng.random() < self.data.borrowed_share:
            # A clear text decides, whoever seems to speak it and over whatever channel.
            borrowed = self._spoken_by_nobody()
            heard = self.store.load(row.clip, variant)
            own = number_of(str(row.clip))
            return replace(borrowed, frames=heard, recording_key=own, matched=False)
        text, confidence = self._words(row)
        silent = text and self.rng.random() < self.no_audio
        frames = None if silent else self.store.load(row.clip, variant)
        recording = number_of(str(row.clip))
        words = text_key(row.text or text)
        return Example(
            frames=frames,
            text=self._said(row, text),
            confidence=confidence,
            label=row.label,
            before=self._lines.before(row) if text else "",
            text_key=number_of(words) if words else recording,
            recording_key=recording,
        )

    def batches(self, collate_batch: Callable[[Sequence[Example]], Batch]) -> Iterator[Batch]:
        """Yield batches for ever; four at a time are sorted by length, so that padding is short."""
        size = self.batch
        while True:
            self._before = self.rng.getstate()
            drawn = [self.draw() for _ in range(4 * size)]
            spoken = [e for e in drawn if e.frames is not None]
            silent = [e for e in drawn if e.frames is None]
            spoken.sort(key=lambda e: len(e.frames) if e.frames is not None else 0)
            silent.sort(key=lambda e: len(e.text))
            spoken_edges = [len(spoken) * quarter // 4 for quarter in range(5)]
            # Lines fill up what the sounds leave, so that every batch has `size` rows.
            silent_edges = [quarter * size - edge for quarter, edge in enumerate(spoken_edges)]
            parts = zip(_cut(spoken, spoken_edges), _cut(silent, silent_edges), strict=True)
            batches = [sounds + lines for sounds, lines in parts]
            self.rng.shuffle(batches)
            for batch in batches[self._given :]:
                self._given += 1
                # Taken away last: the same rows in the same batches, whatever is given of them.
                given = batch if self.data.sound else [replace(e, frames=None) for e in batch]
                yield collate_batch(given)
            self._given = 0

    def state(self) -> dict[str, Any]:
        """Return the place between two batches: how the last four were drawn, and those given."""
        return {"before": self._before, "given": self._given}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from `state`; `batches` must not have begun."""
        self.rng.setstate(state["before"])
        self._given = state["given"]


def _cut(items: list[Example], edges: Sequence[int]) -> list[list[Example]]:
    """Return the runs of `items` between `edges`."""
    return [items[start:end] for start, end in zip(edges, edges[1:], strict=False)]
