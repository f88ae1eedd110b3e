"""Gradients of a batch, whole or in chunks of it (gradient caching, arXiv 2101.06983).

In-batch negatives bind all rows together: a batch too large for memory cannot be cut into smaller
ones without losing them. So its chunks go forward without a graph, the loss of all their vectors
gives each vector its gradient, and the chunks go forward once more, now backward too. The second
time must see the dropout masks of the first, or these are gradients of no loss at all: the state
of the random generators is kept for each chunk and replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from training.data.batch import Batch
from training.objective.config import ObjectiveConfig, Part
from training.objective.gather import gather
from training.objective.objective import Targets, Views, objective_terms

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class RandomState:
    """Where torch's generators stand: that of the CPU, and of a GPU in use."""

    cpu: Tensor
    cuda: Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> RandomState:
        """Return the present state for work on `device`."""
        cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(torch.get_rng_state(), cuda)

    def replay(self, device: torch.device) -> None:
        """Bring the generators back to this state."""
        torch.set_rng_state(self.cpu)
        if self.cuda is not None:
            torch.cuda.set_rng_state(self.cuda, device)


@dataclass(frozen=True)
class Gradients:
    """Adds the gradients of a batch to the parameters of a model."""

    model: nn.Module
    """A `ViewsModel`, or DistributedDataParallel around one: then averaged over the ranks."""

    objective: ObjectiveConfig
    """What the loss is made of."""

    chunk: int = 0
    """Rows that go through the model together; 0 for all."""

    bf16: bool = False
    """Autocast the model, not the loss, to bfloat16."""

    def add(
        self, batch: Batch, *, part: Part | None = None, weight: float = 1.0, sync: bool = True
    ) -> Terms:
        """Add `weight` times the gradients of `batch`'s loss; return its terms, detached.

        With `part` those of one part of the loss. Without `sync` the ranks' gradients stay apart:
        more batches follow in the same step.
        """
        if self.chunk and self.chunk < len(batch.labels):
            compared = self.objective.contrastive and part != "classes"
            return (self._chunked if compared else self._summed)(batch, part, weight, sync)
        with self._apart(not sync):
            views = self._forward(self.model, batch, part)
            return self._loss(views, batch, part, weight)

    def _summed(self, batch: Batch, part: Part | None, weight: float, sync: bool) -> Terms:
        """Add the chunks' own gradients: where no row is compared with another, one pass will do.

        Every term of the classes is a mean over rows.
        """
        chunks = batch.split(self.chunk)
        terms: Terms = {}
        for index, chunk in enumerate(chunks):
            share = len(chunk.labels) / len(batch.labels)
            with self._apart(not (sync and index == len(chunks) - 1)):
                views = self._forward(self.model, chunk, part)
                found = self._loss(views, chunk, part, weight * share)
            for name, value in found.items():
                terms[name] = terms.get(name, 0.0) + share * value
        return terms

    def _chunked(self, batch: Batch, part: Part | None, weight: float, sync: bool) -> Terms:
        device = batch.labels.device
        plain = self.model
        if isinstance(plain, DistributedDataParallel):
            plain = plain.module
        chunks = batch.split(self.chunk)
        states, seen = [], []
        for chunk in chunks:
            states.append(RandomState.now(device))
            with torch.no_grad():
                seen.append(self._forward(plain, chunk, part))
        logits, sound, words = (
            torch.cat(vectors, dim=1)
            for vectors in zip(*(views[:3] for views in seen), strict=True)
        )
        views = Views(logits, sound, words, seen[0].scale)
        leaves = Views(*(vectors.requires_grad_() for vectors in views))
        terms = self._loss(leaves, batch, part, weight)
        for index, (chunk, state) in enumerate(zip(chunks, states, strict=True)):
            last = index == len(chunks) - 1
            rows = slice(index * self.chunk, index * self.chunk + len(chunk.labels))
            with self._apart(not (sync and last)):
                state.replay(device)
                again = self._forward(self.model, chunk, part)
                pairs = [
                    (vectors, leaf.grad[:, rows])
                    for vectors, leaf in zip(again[:3], leaves[:3], strict=True)
                    if vectors.requires_grad and leaf.grad is not None
                ]
                # One temperature serves all chunks: its gradient enters once.
                if last and again.scale.requires_grad and leaves.scale.grad is not None:
                    pairs.append((again.scale, leaves.scale.grad))
                outputs, found = (list(side) for side in zip(*pairs, strict=True))
                torch.autograd.backward(outputs, found)
        return terms

    def _forward(self, model: Callable[..., Views], batch: Batch, part: Part | None) -> Views:
        # A context for each pass: within one, weights cast without a graph would be used again.
        with torch.autocast(batch.labels.device.type, torch.bfloat16, enabled=self.bf16):
            return model(batch, part) if part else model(batch)

    def _loss(self, views: Views, batch: Batch, part: Part | None, weight: float) -> Terms:
        terms = objective_terms(*gather(views, Targets.of(batch)), self.objective, part)
        (weight * terms["loss"]).backward()
        return {name: value.detach() for name, value in terms.items()}

    def _apart(self, apart: bool) -> AbstractContextManager:
        if apart and isinstance(self.model, DistributedDataParallel):
            return self.model.no_sync()
        return nullcontext()
