"""From a transcript, names and the turn before to the token ids that the text tower reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.files import read_file
from turbo_stream._util.rust_panics import panics_as_errors, quiet_panics
from turbo_stream._util.shown import shown
from turbo_stream.addressing.name_mark import OWN_NAME, mark_names
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.detection.token_row import MOST_TOKENS_BEFORE, NAME_TOKEN, token_row
from turbo_stream.errors import PackageError, TurboStreamError

if TYPE_CHECKING:
    from tokenizers import Encoding

TokenArray = NDArray[np.int64]

_CHARACTERS_PER_TOKEN = 100
"""WordPiece makes one token of any longer word, so no more text than this can matter."""

_WORDS_PER_TOKEN = 2
"""Names are looked for in so many words for each token: one of several words is one token."""

_MOST_BYTES = 256 * 2**20

_TRIED = ("turn on the light", "Zoë: “12 °C”?\n\t", "字 \U0001f600 \ufffd xq" * 20)
"""Texts and names that a tokenizer is tried with before anybody says anything: words, signs that
it may not know, and more than it takes."""


class TextTokenizer:
    """Encodes `names` and `text` as a pair: names joined by ", " first, then the transcript.

    Where names are `marked`, it is the row of `token_row` instead: the text with a mark in place
    of a name, then the turn before. Longer text keeps its beginning: a command names the device
    and its verb first, and what Whisper repeats in error stands at the end. Names, or the turn
    before, take at most half of the tokens.
    """

    def __init__(self, tokenizer_json: str, *, max_tokens: int, marked: bool = False) -> None:
        """Take the text of a `tokenizer.json` and try it; ValueError if it is none."""
        from tokenizers import Tokenizer

        self._max_tokens = max_tokens
        self._marked = marked
        try:
            with quiet_panics():
                self._tokenizer = Tokenizer.from_str(tokenizer_json)
                self._tokenizer.no_truncation()
                self._tokenizer.no_padding()
                self._tokenizer.encode_special_tokens = True  # "[SEP]" said is only text
                self._missing = self._tokenizer.encode("").ids or [0]
                self._largest_id = self._tried()
        except Exception as error:  # the library raises bare Exception
            raise ValueError(" ".join(str(error).split())[:300]) from error

    @classmethod
    def from_file(cls, path: Path, *, max_tokens: int, marked: bool = False) -> Self:
        """Read a `tokenizer.json`; PackageError if it is none."""
        try:
            content = read_file(path, _MOST_BYTES).decode("utf-8")
            return cls(content, max_tokens=max_tokens, marked=marked)
        except (OSError, ValueError) as error:
            raise PackageError(
                f"{shown(path)} is not a readable tokenizer ({shown(str(error))})"
            ) from error

    @property
    def largest_id(self) -> int:
        """The largest id that any text can get."""
        return self._largest_id

    def encode(
        self,
        text: str,
        names: Sequence[str] = (),
        *,
        search: NameSearch | None = None,
        before: str = "",
    ) -> tuple[TokenArray, TokenArray]:
        """Return ids `[1, L]` and mask `[1, L]`, L at most `max_tokens`.

        Text without a single token is missing text: the mask is then all 0, whatever the names,
        for a name that was not heard says nothing. Any string is taken, broken Unicode too.

        Args:
            text: what was said.
            names: what the device is called.
            search: finds the names where they are marked; None makes one of `names`.
            before: the turn before, read where names are marked.

        Raises:
            TurboStreamError: the tokenizer, which could encode other texts, fails on this one.
        """
        try:
            with panics_as_errors():
                if not self._marked:
                    return self._encode(text, names)
                if search is None and names:
                    search = NameSearch(names)
                return self._encode_marked(text, search, before)
        except Exception as error:
            # The library's own words may quote the text.
            raise TurboStreamError(
                f"the package's tokenizer failed on a text ({type(error).__name__})"
            ) from None

    def _tried(self) -> int:
        """Encode a few texts, with names and without; return the largest id there is."""
        if self._marked:
            self._check_mark()
            rows = [(text, before) for text in _TRIED for before in ("", *_TRIED)]
            found = [self._encode_marked(text, None, before)[0] for text, before in rows]
        else:
            self._check_template()
            found = [self._encode(text, names)[0] for text in _TRIED for names in ((), (text,))]
        if (longest := max(ids.size for ids in found)) > self._max_tokens:
            raise ValueError(f"it makes {longest} tokens of a text, more than {self._max_tokens}")
        # What is added to every text has ids that the vocabulary may not have.
        added = max(int(ids.max()) for ids in found)
        return max(added, *self._missing, *self._tokenizer.get_vocab().values())

    def _check_mark(self) -> None:
        """Raise ValueError where the vocabulary has no mark, or a text can make one."""
        _, mark, *word, _ = token_row(self._tokenizer, OWN_NAME + "on", max_tokens=self._max_tokens)
        if not word:
            raise ValueError("it makes no token of a word")
        if mark in self._tokenizer.encode(NAME_TOKEN, add_special_tokens=False).ids:
            raise ValueError(f"it takes {NAME_TOKEN} in a text for the mark of a name")

    def _check_template(self) -> None:
        """Raise ValueError where a text does not stand exactly once in what is made of it.

        The library would try out every way of cutting each of several copies.
        """
        words = self._tokenizer.encode("on", add_special_tokens=False)
        if not words.ids:
            raise ValueError("it makes no token of a word")
        for pair in (None, words):
            texts = len(words.ids) * (1 if pair is None else 2)
            wanted = texts + self._tokenizer.num_special_tokens_to_add(pair is not None)
            made = len(self._tokenizer.post_process(words, pair).ids)
            if made != wanted:
                raise ValueError(f"it makes {made} tokens where {wanted} belong")

    def _encode(self, text: str, names: Sequence[str]) -> tuple[TokenArray, TokenArray]:
        words = self._encode_part(text, self._max_tokens * _CHARACTERS_PER_TOKEN)
        if not words.ids:
            ids = np.array([self._missing], np.int64)
            return ids, np.zeros_like(ids)
        name_list = ", ".join(filter(None, (name.strip() for name in names)))
        pair = None
        if name_list:
            half = self._max_tokens // 2
            pair = self._encode_part(name_list, half * _CHARACTERS_PER_TOKEN)
            pair.truncate(max(1, half - self._tokenizer.num_special_tokens_to_add(True)))
        special = self._tokenizer.num_special_tokens_to_add(pair is not None)
        room = self._max_tokens - special - (len(pair.ids) if pair is not None else 0)
        words.truncate(max(1, room))
        first, second = (words, None) if pair is None else (pair, words)
        ids = np.array([self._tokenizer.post_process(first, second).ids], np.int64)
        return ids, np.ones_like(ids)

    def _encode_marked(
        self, text: str, search: NameSearch | None, before: str
    ) -> tuple[TokenArray, TokenArray]:
        limit, most = self._max_tokens, MOST_TOKENS_BEFORE
        marked = mark_names(
            _clean(text[: limit * _CHARACTERS_PER_TOKEN]),
            search,
            most_words=limit * _WORDS_PER_TOKEN,
        )
        context = _clean(before[-most * _CHARACTERS_PER_TOKEN :])
        row = token_row(self._tokenizer, marked, context, max_tokens=limit)
        ids = np.array([row or self._missing], np.int64)
        return ids, np.ones_like(ids) if row else np.zeros_like(ids)

    def _encode_part(self, text: str, limit: int) -> Encoding:
        return self._tokenizer.encode(_clean(text[:limit]), add_special_tokens=False)


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
