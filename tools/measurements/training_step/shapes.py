"""The networks and batches that steps are timed on, with random weights and random input."""

import json
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.config import TurboConfig
from models.turbo import Turbo
from training.data.batch import Batch

_HUBERT = {
    "model_type": "hubert",
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
_BERT = {
    "model_type": "bert",
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "vocab_size": 30_522,
}


@dataclass(frozen=True)
class Shape:
    """A network, and what goes through it in a step."""

    name: str
    config: TurboConfig
    rows: int
    """Rows of a batch."""

    seconds: float
    """Length of every sound."""

    note: str = ""
    """What is smaller than the name says."""

    tokens: int = 16
    """Tokens of every transcript."""


def _hubert_bert(layers: int) -> TurboConfig:
    return TurboConfig(
        audio="hf:hubert-base",
        text="hf:bert-base",
        audio_architecture=json.dumps(_HUBERT | {"num_hidden_layers": layers}),
        text_architecture=json.dumps(_BERT | {"num_hidden_layers": layers}),
        vocabulary_size=30_522,
        hidden=768,
    )


_COMPACT = TurboConfig(audio="compact", text="compact", hidden=256, body_layers=4)

ON_GPU = {
    "compact": Shape("compact", _COMPACT, 256, 4.0),
    "shipped": Shape("shipped", TurboConfig(), 256, 4.0),
    "hubert-bert": Shape("hubert-bert", _hubert_bert(12), 64, 5.0),
}

ON_CPU = {
    "compact": Shape("compact", _COMPACT, 16, 2.0),
    "shipped": Shape("shipped", TurboConfig(), 16, 2.0),
    "hubert-bert": Shape("hubert-bert", _hubert_bert(2), 4, 2.0, note="2 of 12 layers"),
}
"""Small enough that the whole benchmark takes less than two minutes."""


@dataclass(frozen=True)
class Material:
    """A batch, and the waveforms its frames come from."""

    waveform: Tensor
    """`[B, T]`."""

    length: Tensor
    """`[B]` samples."""

    batch: Batch


def make(shape: Shape, device: torch.device) -> tuple[Turbo, Material]:
    """Return a network and a batch of `shape`; its frames are those of the network's front."""
    torch.manual_seed(0)
    model = Turbo(shape.config).to(device)
    rows = shape.rows
    waveform = 0.1 * torch.randn(rows, int(shape.seconds * shape.config.sample_rate))
    length = torch.full((rows,), waveform.shape[1])
    ids = torch.randint(4, shape.config.vocabulary_size, (rows, shape.tokens))
    with torch.inference_mode():
        frames, mask = model.audio_front(waveform.to(device), length.to(device))
    confidence = torch.tensor([[0.0, 0.0, 0.0, 1.0]]).repeat(rows, 1)
    everybody = torch.arange(rows)
    batch = Batch(
        frames=frames.clone(),
        frame_mask=mask.clone(),
        token_ids=ids.to(device),
        token_mask=torch.ones_like(ids).to(device),
        word_mask=torch.ones_like(ids).to(device),
        confidence=confidence.to(device),
        labels=(everybody % len(shape.config.labels)).to(device),
        text_keys=everybody.to(device),
        recording_keys=everybody.to(device),
        matched=torch.ones(rows, dtype=torch.bool, device=device),
    )
    return model, Material(waveform.to(device), length.to(device), batch)


def with_rows(shape: Shape, rows: int | None) -> Shape:
    """Return `shape` with another number of rows, if one is given."""
    return replace(shape, rows=rows) if rows else shape
