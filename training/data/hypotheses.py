"""What recognizers heard, from their own lists or from turbo-eval's predictions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data.lines import read_lines
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.corpus.part import Part
from turbo_stream.recognition.recognizer import NOT_HEARD
from turbo_stream.recognition.told import NOTHING, reported, told

Confidence = tuple[float, float, float, float]
"""Mean log-probability, no-speech probability, compression ratio, 1 if missing; see `Told`."""

MISSING: Confidence = NOTHING.confidence


@dataclass(frozen=True)
class Hypothesis:
    """What a recognizer made of a recording, as the device's classifier is told."""

    text: str
    confidence: Confidence

    language: str | None = None
    """What the recognizer took the text for; None where it does not say, or the text is one that
    was read, such as a translation. For classifiers that know another."""


def _hypothesis(row: dict[str, Any]) -> Hypothesis | None:
    """Read one row: of a list, or of `predictions.jsonl`, whose `text` is the true one.

    Where there is no text, and not even a backend's word or a confidence that somebody listened,
    nothing is known.
    """
    if row.get("error") or "events" in row:  # not scored, or a long recording
        return None
    if "text_used" not in row:
        text, heard = row.get("text") or "", row
        listened = row.get("avg_logprob") is not None or row.get("guard") is not None
    else:
        text, heard = row["text_used"] or "", row.get("asr") or {}
        if "translation_used" in row:  # that was read, and the text was not
            text, heard = row["translation_used"] or "", {**heard, **row["translation"]}
            heard.pop("language", None)
        elif row.get("read") == "sound":
            return Hypothesis(*NOTHING)
        backend = heard.get("backend", "none")
        if backend == "none":
            return None
        listened = backend != "gold"
    transcript = reported(text, heard) if text or listened else NOT_HEARD
    return Hypothesis(*told(transcript), transcript.language)


Heard = Mapping[Part, tuple[Hypothesis, ...]]
"""What was heard in parts of recordings."""


def read_hypotheses(paths: Iterable[Path]) -> dict[Part, tuple[Hypothesis, ...]]:
    """Return what recognizers heard, by the part of a recording that they heard it in.

    A file is a list of `audio_filepath`, `text`, `avg_logprob` (and optionally `offset`,
    `duration`, `no_speech_prob`, `compression_ratio`, `guard`, `known`, `language`), or
    turbo-eval's `predictions.jsonl`. A recognizer that found no word is told apart from a text that
    is missing, by the confidence. Where a file names a part twice both are kept; turbo-eval's rows
    without a recognizer count as not heard.
    """
    found: dict[Part, tuple[Hypothesis, ...]] = {}
    for path in paths:
        for row in read_lines(path):
            try:
                part = Part.of(row)
            except InputError as error:
                raise InputError(f"{path} has a row that says not where it was: {error}") from None
            if (heard := _hypothesis(row)) is not None:
                found[part] = (*found.get(part, ()), heard)
    return found


def hypotheses_of(items: Sequence[Item], heard: Heard) -> list[tuple[Hypothesis, ...]]:
    """Return what was heard in each of `items`, the rows of a manifest.

    Words belong to the part of the recording that they were heard in. Only where manifest and
    hypotheses both know one part of a recording, from its beginning on, its length may be missing
    or differ: a recognizer's own list rarely says it.

    Raises:
        InputError: words of a whole recording would have to be shared out among its parts.
    """
    parts, heard_parts = _by_path(item.part for item in items), _by_path(heard)

    def of(item: Item) -> tuple[Hypothesis, ...]:
        part = item.part
        if part in heard:
            return heard[part]
        rivals, known = parts[part.path], heard_parts.get(part.path, set())
        if rivals == {part} and part.start == 0 and len(known) == 1:
            (other,) = known
            if other.start == 0:
                return heard[other]
        whole = Part(part.path)
        if whole in known and whole not in rivals:
            raise InputError(
                f"the hypotheses name {part.path} without offset and duration, and the manifest "
                "has parts of it; give the hypotheses of each part its offset and duration"
            )
        return ()

    return [of(item) for item in items]


def _by_path(parts: Iterable[Part]) -> dict[str, set[Part]]:
    found: dict[str, set[Part]] = {}
    for part in parts:
        found.setdefault(part.path, set()).add(part)
    return found
