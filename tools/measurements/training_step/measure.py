"""Time, arithmetic and memory."""

import math
import statistics
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from training.objective import losses


def wait(device: torch.device) -> None:
    """Return when `device` has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Return how long one call takes."""
    wait(device)
    started = perf_counter()
    work()
    wait(device)
    return perf_counter() - started


def interleaved(
    works: dict[str, Callable[[], object]], device: torch.device, rounds: int
) -> dict[str, list[float]]:
    """Time all `works` once a round, each round beginning with another, after a first that is lost.

    What else the machine does then falls on all alike, and rounds can be compared pair by pair.
    """
    names = list(works)
    for name in names:
        seconds_of(works[name], device)
    times: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(seconds_of(works[name], device))
    return times


def ratio(times: dict[str, list[float]], name: str, over: str) -> float:
    """Return the median over the rounds of one step's time over another's."""
    return statistics.median(a / b for a, b in zip(times[name], times[over], strict=True))


def matrix_rate(device: torch.device, dtype: torch.dtype, *, rounds: int = 7) -> float:
    """Return the FLOP/s of the fastest of a few large square products: what the device can do."""
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    product = a @ b
    times = [seconds_of(lambda: torch.mm(a, b, out=product), device) for _ in range(rounds)]
    return 2.0 * size**3 / min(times)


def _convolution_backward(
    gradient: Sequence[int], x: Sequence[int], weight: Sequence[int], *rest: Any, **_: Any
) -> int:
    """Count both gradients of a convolution, each as much as the convolution itself.

    torch counts that of a grouped convolution's weight once a group too often: sixteen times for
    the positions of HuBERT.
    """
    transposed, wanted = rest[4], rest[7]
    moved = x if transposed else gradient
    once = 2 * moved[0] * math.prod(moved[2:]) * math.prod(weight)
    return once * (bool(wanted[0]) + bool(wanted[1]))


def matrix_flops(work: Callable[[], object]) -> int:
    """Return the floating point operations of all matrix products, convolutions and attention."""
    own = {torch.ops.aten.convolution_backward: _convolution_backward}
    with FlopCounterMode(display=False, custom_mapping=own) as counter:
        work()
    return counter.get_total_flops()


def _held_mib(rows: int, chunk: int, device: torch.device) -> float:
    """Return the peak on a GPU; on a CPU, which counts nothing, what the graph has saved."""
    views = [F.normalize(torch.randn(2, rows, 128, device=device), dim=-1) for _ in range(2)]
    audio, text = (view.requires_grad_() for view in views)
    scale = torch.tensor(14.0, device=device, requires_grad=True)
    keys = torch.arange(rows, device=device)[:, None]

    def terms() -> Tensor:
        inner = [losses.in_modal(view, scale, keys=keys, chunk=chunk) for view in (audio, text)]
        return inner[0] + inner[1] + losses.cross_modal(audio, text, scale, keys=keys, chunk=chunk)

    if device.type == "cuda":
        wait(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        terms().backward()
        wait(device)
        return (torch.cuda.max_memory_allocated(device) - before) / 2**20
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = terms()
    del loss
    return sum(kept.values()) / 2**20


def loss_memory(rows: Sequence[int], chunk: int, device: torch.device) -> list[dict[str, float]]:
    """Return what the contrastive terms of batches of `rows` hold until their backward pass.

    `whole_mib`, and `chunked_mib` with `chunk` rows at a time.
    """
    return [
        {
            "rows": size,
            "whole_mib": _held_mib(size, 0, device),
            "chunked_mib": _held_mib(size, chunk, device),
        }
        for size in rows
    ]
