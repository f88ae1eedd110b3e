"""From a transcript and the device's names to the token ids that the text tower reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import PackageError

if TYPE_CHECKING:
    from tokenizers import Encoding

TokenArray = NDArray[np.int64]

_CHARACTERS_PER_TOKEN = 100
"""WordPiece makes one token of any longer word, so no more text than this can matter."""


class TextTokenizer:
    """Encodes `names` and `text` as a pair: names joined by ", " first, then the transcript.

    Longer text keeps its beginning: a command names the device and its verb first, and what
    Whisper repeats in error stands at the end. Names take at most half of the tokens.
    """

    def __init__(self, tokenizer_json: str, *, max_tokens: int) -> None:
        """Take the text of a `tokenizer.json`; ValueError if it is none."""
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(tokenizer_json)
        except Exception as error:  # the library raises bare Exception
            raise ValueError(" ".join(str(error).split())) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # "[SEP]" in a transcript is only text
        self._max_tokens = max_tokens
        self._missing = self._tokenizer.encode("").ids or [0]

    @classmethod
    def from_file(cls, path: Path, *, max_tokens: int) -> Self:
        """Read a `tokenizer.json`; PackageError if it is none."""
        try:
            return cls(path.read_text(encoding="utf-8"), max_tokens=max_tokens)
        except (OSError, ValueError) as error:
            raise PackageError(f"{path} is not a readable tokenizer ({error})") from error

    @property
    def largest_id(self) -> int:
        """The largest id that any text can get."""
        return max(self._tokenizer.get_vocab().values(), default=0)

    def encode(self, text: str, names: Sequence[str] = ()) -> tuple[TokenArray, TokenArray]:
        """Return ids `[1, L]` and mask `[1, L]`, L at most `max_tokens`.

        Text without a single token is missing text: the mask is then all 0, whatever the names,
        for a name that was not heard says nothing. Any string is taken, broken Unicode too.
        """
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

    def _encode_part(self, text: str, limit: int) -> Encoding:
        clean = text[:limit].encode("utf-8", "replace").decode("utf-8")
        return self._tokenizer.encode(clean, add_special_tokens=False)
