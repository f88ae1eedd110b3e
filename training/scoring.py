"""Scores rows with a model, as a device would meet them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.turbo import Turbo
from training.batches import Example, collate
from training.features import FeatureStore
from training.manifest import MISSING, Confidence, Row

MODES = ("fused", "audio", "text")
AS_RECORDED = -1


def heard(row: Row) -> tuple[str, Confidence]:
    """Return what the device would have: a recognizer's text, or the true one, or none."""
    if row.hypotheses:
        return row.hypotheses[0].text, row.hypotheses[0].confidence
    return row.text or "", MISSING


@torch.inference_mode()
def score(
    model: Turbo,
    tokenizer: Tokenizer,
    store: FeatureStore | None,
    rows: Sequence[Row],
    *,
    mode: str = "fused",
    variant: int = AS_RECORDED,
    batch: int = 32,
) -> NDArray[np.float64]:
    """Return logits `[N, K]` of `rows`, from sound and text, or from one of them."""
    model.eval()
    device = next(model.parameters()).device
    examples = []
    for row in rows:
        frames = None
        if mode != "text" and store is not None and row.audio is not None:
            frames = store.load(row.audio, variant)
        text, confidence = ("", MISSING) if mode == "audio" else heard(row)
        examples.append(Example(frames, row.names, text, confidence, row.label, (0, 0)))
    order = sorted(
        range(len(rows)),
        key=lambda i: 0 if examples[i].frames is None else len(examples[i].frames),
    )
    logits = np.zeros((len(rows), len(model.config.labels)))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        part = collate([examples[i] for i in chosen], tokenizer, model.audio_front.width, device)
        audio = model.audio_tower(part.frames, part.frame_mask)
        tokens = model.text_front(part.token_ids, part.token_mask)
        text = model.text_tower(tokens, part.token_mask)
        logits[chosen] = model.fusion(audio, text, part.confidence).double().cpu().numpy()
    return logits


def margin(logits: NDArray, directed: int) -> NDArray:
    """Log-odds of the directed class, `[N]`, from logits `[N, K]`."""
    others = np.delete(logits, directed, axis=1)
    return logits[:, directed] - np.logaddexp.reduce(others, axis=1)
