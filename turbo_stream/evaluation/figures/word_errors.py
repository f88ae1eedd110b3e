"""Word error rate of the recognizer, by jiwer, in Whisper's normal form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.language import ENGLISH, same_language
from turbo_stream._util.unicode_text import whole_text
from turbo_stream.evaluation.corpus.rows import Row, is_scored, speaker_groups
from turbo_stream.evaluation.figures.bootstrap import Figures

_NOT_WHISPERS = (r"\bcause\b", r"\bdunno\b", r"\bkinda\b", r"\bsorta\b")
"""Contractions that the `whisper-normalizer` package expands and OpenAI's normalizer leaves."""


def whisper_normalizer(language: str) -> Callable[[str], str]:
    """Return Whisper's English normalizer for English, its basic one for any other language.

    Source: Radford et al. 2022 (arXiv 2212.04356), appendix C.
    """
    normalizer: Callable[[str], str]
    if not same_language(language, ENGLISH):
        from whisper_normalizer.basic import BasicTextNormalizer

        normalizer = BasicTextNormalizer()
        return normalizer
    from whisper_normalizer.english import EnglishTextNormalizer

    english = EnglishTextNormalizer()
    for pattern in _NOT_WHISPERS:
        english.replacers.pop(pattern, None)
    normalizer = english
    return normalizer


@dataclass(frozen=True)
class WordItems:
    """Word errors of each item that has a text in the manifest and one from the recognizer."""

    errors: NDArray[np.float64]
    """`[N, 3]`: substitutions, deletions, insertions."""

    words: NDArray[np.float64]
    """`[N]`, words in the normalized manifest text."""

    groups: NDArray[np.int64]
    """`[N]`, see `speaker_groups`."""

    @classmethod
    def from_rows(cls, rows: Iterable[Row], run: Mapping[str, Any]) -> WordItems | None:
        """Compare `text` with `text_used`; None without such rows, or where nothing listened."""
        if run.get("gold_text") or {"gold", "none"} & {run.get("text"), run.get("asr")}:
            return None
        kept = [
            row
            for row in rows
            if is_scored(row)
            and isinstance(row.get("text"), str)
            and isinstance(row.get("text_used"), str)
        ]
        if not kept:
            return None
        import jiwer

        # The same sentence often occurs many times, and normalizing takes longer than counting.
        normalize = lru_cache(maxsize=None)(whisper_normalizer(str(run.get("language") or "en")))
        errors = np.zeros((len(kept), 3))
        words = np.zeros(len(kept))
        for i, row in enumerate(kept):
            said, heard = (normalize(whole_text(row[key])) for key in ("text", "text_used"))
            found = jiwer.process_words(said, heard)
            errors[i] = found.substitutions, found.deletions, found.insertions
            words[i] = found.hits + found.substitutions + found.deletions
        return cls(errors, words, speaker_groups(kept))


def word_error_metrics(items: WordItems) -> dict[str, Any]:
    """Return `wer` = errors / reference words over all items, and the counts behind it."""
    substitutions, deletions, insertions = (int(v) for v in items.errors.sum(axis=0))
    words = int(items.words.sum())
    return {
        "n": len(items.words),
        "wer": (substitutions + deletions + insertions) / words if words else None,
        "substitutions": substitutions,
        "deletions": deletions,
        "insertions": insertions,
        "reference_words": words,
    }


def weighted_word_errors(items: WordItems, weights: NDArray[np.float64]) -> Figures:
    """Return `wer` of every weighting, `[D, N]`: see `weighted_figures`."""
    words = weights @ items.words
    return {"wer": weights @ items.errors.sum(axis=1) / np.where(words > 0, words, np.nan)}
