"""Token ids through a frozen text front, once for every distinct text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from models.turbo import Turbo

_CHUNK = 64


@dataclass
class TextStates:
    """What the frozen text front makes of texts, remembered by their token ids.

    Only of use where the front is an encoder; one that hands the ids on costs nothing.
    """

    model: Turbo

    most: int = 60_000
    """Texts remembered at most; of what comes later nothing is kept. Some 10 kB each."""

    _memory: dict[tuple[int, ...], Tensor] = field(default_factory=dict, repr=False)

    @torch.inference_mode()
    def _encode(self, texts: Sequence[tuple[int, ...]]) -> dict[tuple[int, ...], Tensor]:
        device = next(self.model.parameters()).device
        found = {}
        ordered = sorted(texts, key=len)
        for start in range(0, len(ordered), _CHUNK):
            part = ordered[start : start + _CHUNK]
            ids = torch.zeros(len(part), len(part[-1]), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, text in enumerate(part):
                ids[row, : len(text)] = torch.tensor(text)
                mask[row, : len(text)] = 1
            states = self.model.text_front(ids.to(device), mask.to(device)).half().cpu()
            for row, text in zip(states, part, strict=True):
                found[text] = row[: len(text)].clone()
        return found

    def __call__(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """Return states `[B, L, F]` float32 of rows of token ids, padded with zeros."""
        keys = [tuple(ids) for ids in texts]
        new = self._encode([key for key in dict.fromkeys(keys) if key not in self._memory])
        room = self.most - len(self._memory)
        self._memory.update(list(new.items())[: max(0, room)])
        width = self.model.text_front.width
        padded = torch.zeros(len(keys), max(map(len, keys)), width)
        for row, key in zip(padded, keys, strict=True):
            row[: len(key)] = self._memory[key] if key in self._memory else new[key]
        return padded
