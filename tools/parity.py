"""How far the exported graphs are from the network they came from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.turbo import Turbo
from tools.onnx_graph import INPUTS


@dataclass(frozen=True)
class Item:
    """One utterance as the graph takes it."""

    waveform: NDArray[np.float32]
    """`[T]`."""

    token_ids: list[int]
    token_mask: list[int]
    confidence: tuple[float, ...]


def synthetic_items(model: Turbo, count: int = 24, seed: int = 0) -> list[Item]:
    """Return made-up utterances of 0.3 to 8 s: bursts of coloured noise and random tokens."""
    rng = np.random.default_rng(seed)
    rate = model.config.sample_rate
    items = []
    for index in range(count):
        samples = int(rng.uniform(0.3, 8.0) * rate)
        noise = np.convolve(rng.standard_normal(samples), np.ones(1 + index % 7), mode="same")
        envelope = np.abs(np.sin(np.arange(samples) * rng.uniform(2.0, 6.0) * np.pi / rate))
        length = int(rng.integers(2, 16))
        ids = rng.integers(4, model.config.vocabulary_size, length).tolist()
        mask = [int(index % 6 != 0)] * length
        wave = (noise * envelope * 10.0 ** rng.uniform(-3.0, -1.0)).astype(np.float32)
        confidence = (float(-rng.uniform(0.0, 3.0)), 0.0, 1.0, float(index % 2))
        items.append(Item(wave, ids, mask, confidence))
    return items


def feed(item: Item) -> dict[str, NDArray]:
    """Return the graph's inputs for one utterance: a batch of one."""
    values = (
        item.waveform[None],
        np.array([len(item.waveform)], np.int64),
        np.array([item.token_ids], np.int64),
        np.array([item.token_mask], np.int64),
        np.array([item.confidence], np.float32),
    )
    return dict(zip(INPUTS, values, strict=True))


def open_session(path: Path):  # noqa: ANN201 - onnxruntime is imported where it is needed
    """Open a graph on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


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


def latency_ms(
    path: Path, vocabulary: int, *, seconds: Sequence[float] = (1, 3, 8), runs: int = 20
) -> dict:
    """Return p50 and p95 of one utterance of 12 tokens on one thread, by its length, ms.

    `vocabulary` is the number of tokens there are.
    """
    session = open_session(path)
    ids = [index % vocabulary for index in (2, *range(50, 60), 3)]
    found = {}
    for length in seconds:
        rng = np.random.default_rng(0)
        wave = rng.standard_normal(int(length * 16_000)).astype(np.float32) * 0.1
        inputs = feed(Item(wave, ids, [1] * 12, (-0.5, 0.0, 1.0, 0.0)))
        took = []
        for _ in range(runs):
            start = time.perf_counter()
            session.run(None, inputs)
            took.append((time.perf_counter() - start) * 1000.0)
        p50, p95 = np.percentile(took, [50, 95])
        found[f"{length:g}s"] = {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
    return found


def compare(
    model: Turbo,
    fp32: Path,
    int8: Path,
    items: Sequence[Item],
    calibration: Callable[[NDArray], NDArray],
) -> dict:
    """Return the parity report; `calibration` maps logits to probabilities, both `[N, K]`.

    A shift is the largest of any class, a flip another most probable class.
    """
    truth = network_logits(model, items)
    floating, integer = graph_logits(fp32, items), graph_logits(int8, items)
    before, after = calibration(floating), calibration(integer)
    shift = np.abs(before - after).max(axis=1)
    return {
        "items": len(items),
        "pytorch_fp32_max_logit_difference": float(np.abs(truth - floating).max()),
        "fp32_int8_max_logit_difference": float(np.abs(floating - integer).max()),
        "fp32_int8_mean_probability_shift": float(shift.mean()),
        "fp32_int8_max_probability_shift": float(shift.max()),
        "decisions_flipped": float(np.mean(before.argmax(axis=1) != after.argmax(axis=1))),
    }
