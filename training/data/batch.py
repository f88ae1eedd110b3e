"""A padded batch, and the examples that it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from training.data.features import Frames, TextStates
from training.data.hypotheses import Confidence
from training.data.row import text_key
from turbo_stream.addressing.name_mark import OWN_NAME
from turbo_stream.detection.token_row import NAME_TOKEN, token_row


@dataclass
class Batch:
    """One padded batch, already through the frozen audio front."""

    frames: Tensor
    """`[B, N, D]` float32."""

    frame_mask: Tensor
    """`[B, N]`; all 0 where there is no sound."""

    token_ids: Tensor
    """`[B, L]` int64."""

    token_mask: Tensor
    """`[B, L]` int64; all 0 where there is no text."""

    word_mask: Tensor
    """`[B, L]` int64; 1 where a token is of a word: none that the tokenizer or a name sets."""

    confidence: Tensor
    """`[B, C]`."""

    labels: Tensor
    """`[B]` int64."""

    text_keys: Tensor
    """`[B]` int64; equal for equal transcripts."""

    recording_keys: Tensor
    """`[B]` int64; equal for the same recording."""

    matched: Tensor
    """`[B]` bool; False where the text is not what the sound says."""

    text_states: Tensor | None = None
    """`[B, L, F]`, what a frozen text front made of `token_ids`; None: it has yet to run."""

    def split(self, chunk: int) -> list[Batch]:
        """Return batches of `chunk` rows (the last may be shorter), padded as they are."""
        starts = range(0, len(self.labels), chunk)
        return [self._rows(slice(start, start + chunk)) for start in starts]

    def _rows(self, chosen: slice) -> Batch:
        columns: Iterator[Any] = (getattr(self, item.name) for item in fields(self))
        rows: Iterator[Any] = (column if column is None else column[chosen] for column in columns)
        return Batch(*rows)


@dataclass(frozen=True)
class Example:
    """One drawn row, ready to be padded."""

    frames: Frames | None
    text: str
    """The device's own name is `OWN_NAME`."""
    confidence: Confidence
    label: int
    before: str = ""
    """The turn before."""
    text_key: int = 0
    """Equal for equal transcripts."""

    recording_key: int = 0
    """Equal for the same recording."""

    matched: bool = True
    """False where the words are not those of the sound."""


def encode(tokenizer: Tokenizer, text: str, before: str, most: int) -> tuple[list[int], list[int]]:
    """Return token ids and mask of `text` after the turn `before`; mask 0 for no text.

    A vocabulary without `NAME_TOKEN`, that of an encoder of Hugging Face, reads the text alone.
    """
    if tokenizer.token_to_id(NAME_TOKEN) is None:
        ids = tokenizer.encode(text.replace(OWN_NAME, " ")).ids[:most]
        return ids, [int(bool(text_key(text)))] * len(ids)
    row = token_row(tokenizer, text, before, max_tokens=most)
    ids = row or tokenizer.encode("").ids
    return ids, [int(bool(row))] * len(ids)


def _marks(tokenizer: Tokenizer) -> set[int]:
    """Return the ids of tokens that are no part of a word: those around a text, and a name's."""
    named = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]", NAME_TOKEN))
    return {*tokenizer.encode("").ids, *(index for index in named if index is not None)}


def collate(
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    width: int,
    device: torch.device,
    text_states: TextStates | None = None,
    *,
    max_tokens: int,
) -> Batch:
    """Pad `examples` into one batch; `width` is that of a frame.

    With `text_states` the batch carries what the frozen text front makes of its token ids.
    """
    steps = max((len(e.frames) for e in examples if e.frames is not None), default=1)
    encoded = [encode(tokenizer, e.text, e.before, max_tokens) for e in examples]
    length = max(len(ids) for ids, _ in encoded)
    marks = _marks(tokenizer)
    frames = torch.zeros(len(examples), steps, width)
    frame_mask = torch.zeros(len(examples), steps)
    token_ids = torch.zeros(len(examples), length, dtype=torch.long)
    token_mask, word_mask = torch.zeros(2, len(examples), length, dtype=torch.long)
    for index, (example, (ids, mask)) in enumerate(zip(examples, encoded, strict=True)):
        if example.frames is not None:
            frames[index, : len(example.frames)] = torch.from_numpy(example.frames).float()
            frame_mask[index, : len(example.frames)] = 1.0
        token_ids[index, : len(ids)] = torch.tensor(ids)
        token_mask[index, : len(mask)] = torch.tensor(mask)
        words = [int(given and one not in marks) for one, given in zip(ids, mask, strict=True)]
        word_mask[index, : len(mask)] = torch.tensor(words)
    return Batch(
        frames=frames.to(device),
        frame_mask=frame_mask.to(device),
        token_ids=token_ids.to(device),
        token_mask=token_mask.to(device),
        word_mask=word_mask.to(device),
        confidence=torch.tensor([e.confidence for e in examples]).to(device),
        labels=torch.tensor([e.label for e in examples]).to(device),
        text_keys=torch.tensor([e.text_key for e in examples]).to(device),
        recording_keys=torch.tensor([e.recording_key for e in examples]).to(device),
        matched=torch.tensor([e.matched for e in examples]).to(device),
        text_states=text_states([ids for ids, _ in encoded]).to(device) if text_states else None,
    )
