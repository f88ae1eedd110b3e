"""Scores of the graphs and of the network; apart from `item`, because it brings torch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.audio.recognizer import RECOGNIZER
from models.turbo import Turbo
from tools.export.parity.item import Item, feed, open_session


def states_width(model: Turbo) -> int:
    """Return the width of the recognizer's states that `model` reads, 0 where it reads samples."""
    return model.audio_front.width if model.config.audio == RECOGNIZER else 0


def graph_logits(path: Path, items: Sequence[Item]) -> NDArray[np.float64]:
    """Return logits `[N, K]` of the graph at `path`, one utterance at a time."""
    session = open_session(path)
    rows = [session.run(["logits"], feed(item))[0][0] for item in items]
    return np.array(rows, np.float64)


@torch.inference_mode()
def network_logits(model: Turbo, items: Sequence[Item]) -> NDArray[np.float64]:
    """Return logits `[N, K]` of the PyTorch network, one utterance at a time."""
    model.eval()
    rows = [model(*map(torch.from_numpy, feed(item).values())).logits[0] for item in items]
    return torch.stack(rows).double().numpy()
