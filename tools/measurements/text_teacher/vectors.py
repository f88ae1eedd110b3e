"""Mean states of a frozen text encoder, kept on disk a thousand lines at a time."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.hugging_face import read_model, read_tokenizer_json

_PART, _BATCH, _MOST_TOKENS = 1000, 64, 64


class Encoder:
    """A text encoder in the layout of transformers."""

    def __init__(self, folder: Path, layers: Sequence[int]) -> None:
        """Load the encoder of `folder`; `layers` are those whose states count, 0 the embedding.

        Raises:
            ModelError: there is none.
        """
        self.layers = tuple(layers)
        self.key = f"{folder.resolve()} {self.layers}"
        """What its vectors depend on beside the text."""
        self._tokenizer = Tokenizer.from_str(read_tokenizer_json(str(folder)))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)
        self._model: Any = read_model(str(folder)).eval().to(torch.bfloat16)

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Return `[N, layers, D]`: the mean over the tokens of each text."""
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda at: len(ids[at]))
        found: list[NDArray[np.float16]] = [np.zeros(0, np.float16)] * len(ids)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            rows = [torch.tensor(ids[at]) for at in chosen]
            tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=1)
            lengths = torch.tensor([len(row) for row in rows])
            mask = (torch.arange(tokens.shape[1]) < lengths[:, None]).long()
            states = self._model(
                input_ids=tokens, attention_mask=mask, output_hidden_states=True
            ).hidden_states
            kept = mask[:, :, None].float()
            means = [(states[at].float() * kept).sum(1) / kept.sum(1) for at in self.layers]
            for at, vector in zip(chosen, torch.stack(means, 1).half().numpy(), strict=True):
                found[at] = vector
        return np.stack(found)


def kept_vectors(encoder: Encoder, texts: Sequence[str], folder: Path) -> NDArray[np.float32]:
    """Return the vectors of `texts`, `[N, layers, D]`; what `folder` has is not computed again."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for start in range(0, len(texts), _PART):
        part = texts[start : start + _PART]
        digest = hashlib.sha256("\n".join([encoder.key, *part]).encode()).hexdigest()
        path = folder / f"{digest[:16]}.npy"
        if not path.exists():
            np.save(path, encoder(part))
        parts.append(np.load(path).astype(np.float32))
    return np.concatenate(parts)
