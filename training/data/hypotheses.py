"""What recognizers heard, from their own lists or from turbo-eval's predictions."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.data.lines import read_lines
from turbo_stream.errors import InputError

Confidence = tuple[float, float, float, float]
"""Mean log-probability, no-speech probability, compression ratio, 1 if missing."""

MISSING: Confidence = (0.0, 0.0, 0.0, 1.0)

_NO_WORD: Confidence = (0.0, 1.0, 1.0, 0.0)
"""As PocketSphinx says that it found no word; for rows that do not say it themselves."""

_DISBELIEVED = ("cap", "repeats")
"""Guards whose text is given to the model as missing: there were words, nobody knows which."""


@dataclass(frozen=True)
class Hypothesis:
    """What a recognizer made of a recording."""

    text: str
    confidence: Confidence


def _hypothesis(row: dict[str, Any]) -> Hypothesis | None:
    """Read one row: of a list, or of `predictions.jsonl`, whose `text` is the true one."""
    if "text_used" not in row:
        text, heard, listened = row.get("text") or "", row, row.get("avg_logprob") is not None
    else:
        text, heard = row["text_used"] or "", row.get("asr") or {}
        backend = heard.get("backend", "none")
        if backend == "none":
            return None
        listened = backend != "gold"
    if heard.get("guard") in _DISBELIEVED:
        return Hypothesis("", MISSING)
    logprob = heard.get("avg_logprob")
    if not text and (logprob is None or heard.get("no_speech_prob") is None):
        return Hypothesis("", _NO_WORD if listened else MISSING)
    if logprob is None:
        return Hypothesis(text, MISSING)
    no_speech = float(heard.get("no_speech_prob") or 0.0)
    ratio = float(heard.get("compression_ratio") or 1.0)
    return Hypothesis(text, (float(logprob), no_speech, ratio, 0.0))


def read_hypotheses(paths: Iterable[Path]) -> dict[str, tuple[Hypothesis, ...]]:
    """Return what recognizers heard, by the `audio_filepath` of the row.

    A file is a list of `audio_filepath`, `text`, `avg_logprob` (and optionally `no_speech_prob`,
    `compression_ratio`, `guard`), or turbo-eval's `predictions.jsonl`. A recognizer that found no
    word is told apart from a text that is missing, by the confidence. Where a file names a
    recording twice both are kept; turbo-eval's rows without a recognizer count as not heard.
    """
    found: dict[str, tuple[Hypothesis, ...]] = {}
    for path in paths:
        for row in read_lines(path):
            heard, key = _hypothesis(row), row.get("audio_filepath")
            if key is None:
                raise InputError(f"{path} has a row without audio_filepath; name the recording")
            if heard is not None:
                found[key] = (*found.get(key, ()), heard)
    return found
