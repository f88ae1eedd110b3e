"""Rows of training data: recordings by JSONL manifest, lines of text by JSONL folder."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

Confidence = tuple[float, float, float, float]
"""Mean log-probability, no-speech probability, compression ratio, 1 if missing."""

MISSING: Confidence = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Hypothesis:
    """What a recognizer made of a recording."""

    text: str
    confidence: Confidence


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
    """Unit that stays on one side of a split."""

    names: tuple[str, ...]
    """Names of the device of this row."""

    synthetic: bool = False
    """Spoken by a machine: its manifest names the `engine`."""

    fold: str | None = None
    """`train`, `dev` or `test` where the manifest says so."""

    text_source: str | None = None
    """Of a synthetic clip: the collection of text that it speaks."""

    source: str | None = None
    """Where the collection can be found."""

    license: str | None = None
    """Licence of the row."""


def text_key(text: str) -> str:
    """Return `text` as the tokenizer's cleaning sees it: what makes two transcripts the same."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))


def stable_share(text: str) -> float:
    """Map a string to [0, 1), always the same: for splits that survive a reordering."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def _lines(path: Path) -> Iterator[dict]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def read_hypotheses(paths: Iterable[Path]) -> dict[str, tuple[Hypothesis, ...]]:
    """Return what recognizers heard, by the `audio_filepath` of the row."""
    found: dict[str, tuple[Hypothesis, ...]] = {}
    for path in paths:
        for row in _lines(path):
            text, logprob = row.get("text") or "", row.get("avg_logprob")
            confidence = MISSING
            if logprob is not None and not text:
                confidence = (0.0, 1.0, 1.0, 0.0)  # as a recognizer that found no word says it
            elif logprob is not None:
                no_speech = float(row.get("no_speech_prob") or 0.0)
                ratio = float(row.get("compression_ratio") or 1.0)
                confidence = (float(logprob), no_speech, ratio, 0.0)
            heard = Hypothesis(text, confidence)
            key = row["audio_filepath"]
            found[key] = (*found.get(key, ()), heard)
    return found


def read_manifest(
    path: Path,
    labels: tuple[str, ...],
    hypotheses: dict[str, tuple[Hypothesis, ...]],
    *,
    shippable_only: bool,
) -> list[Row]:
    """Read a JSONL manifest; rows of other labels, and of nominal labels, are left out."""
    rows = []
    for item in _lines(path):
        if item["label"] not in labels or item.get("nominal"):
            continue
        if shippable_only and not item.get("shippable", True):
            continue
        stored = item["audio_filepath"]
        name = item.get("device_name")
        collection = item.get("set") or item.get("engine") or item.get("source") or path.stem
        group = item.get("group") or item.get("voice") or item.get("speaker") or stored
        rows.append(
            Row(
                audio=path.parent / stored,
                label=labels.index(item["label"]),
                text=item.get("text"),
                hypotheses=hypotheses.get(stored, ()),
                collection=collection,
                group=f"{collection}/{group}",
                names=(name,) if name else (),
                synthetic="engine" in item,
                fold=item.get("fold"),
                text_source=item.get("text_source") if "engine" in item else None,
                source=item.get("source"),
                license=item.get("license"),
            )
        )
    return rows


def held_text_keys(paths: Iterable[Path]) -> set[str]:
    """Return the keys of every text that the manifests' development and test rows speak."""
    return {
        text_key(item["text"])
        for path in paths
        for item in _lines(path)
        if item.get("fold") in ("dev", "test") and item.get("text")
    }


def read_texts(folder: Path, labels: tuple[str, ...], held: set[str]) -> list[Row]:
    """Read every `*.jsonl.gz` of `folder`, but for `held` keys; a sentence twice is kept once."""
    rows, seen = [], set(held)
    for path in sorted(folder.glob("*.jsonl.gz")):
        collection = path.name.removesuffix(".jsonl.gz")
        for item in _lines(path):
            key = text_key(item["text"])
            if not key or key in seen or item["label"] not in labels:
                continue
            seen.add(key)
            rows.append(
                Row(
                    audio=None,
                    label=labels.index(item["label"]),
                    text=item["text"],
                    hypotheses=(),
                    collection=collection,
                    group=f"{collection}/{item.get('conv') or key}",
                    names=(),
                )
            )
    return rows
