"""The token ids that a text tower reads: the words with the own name marked, then the turn before.

`[CLS] words [SEP]`, or `[CLS] words [SEP] turn before [SEP]`. Training and runtime share this, so
that a model meets in use what it has learned from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_stream.addressing.name_mark import OWN_NAME

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME_TOKEN = "[NAME]"
"""What the vocabulary has for `OWN_NAME`: one token for all names, so that a set name changes
nothing in a text that has none."""

MOST_TOKENS_BEFORE = 20
"""Of the turn before, its last tokens: a question stands at its end. At most half of the row."""


def token_row(tokenizer: Tokenizer, text: str, before: str = "", *, max_tokens: int) -> list[int]:
    """Return the ids of `text`, in which `OWN_NAME` marks the name, after the turn `before`.

    Longer text keeps its beginning. Text without a token gives an empty list: it is missing,
    whatever was said before. `tokenizer` must not truncate or pad by itself.

    Raises:
        ValueError: the vocabulary has no `[CLS]`, `[SEP]` or `[NAME]`.
    """
    first, end, name = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", NAME_TOKEN))
    if first is None or end is None or name is None:
        raise ValueError(f"the vocabulary lacks one of [CLS], [SEP] and {NAME_TOKEN}")
    words: list[int] = []
    for number, piece in enumerate(text.split(OWN_NAME)):
        words += [name] * (number > 0) + _ids(tokenizer, piece)
    if not words:
        return []
    most = min(MOST_TOKENS_BEFORE, max_tokens // 2 - 2)
    context = _ids(tokenizer, before.replace(OWN_NAME, " "))[-most:]
    special = 3 if context else 2
    words = words[: max_tokens - special - len(context)]
    return [first, *words, end, *context, end] if context else [first, *words, end]


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids
