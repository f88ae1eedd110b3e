"""Stops a training whose numbers are no longer finite: NaN compares as no improvement."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from turbo_stream.errors import TurboStreamError

_SHOWN = 8
"""Names in a message: all terms of a loss, but not all weights of a network."""


class NotFiniteError(TurboStreamError):
    """A loss, a gradient, a weight or a score is NaN or infinite."""


def check_finite(values: Mapping[str, Tensor | NDArray | float]) -> None:
    """Raise `NotFiniteError` with the names of those of `values` that are not finite."""
    tensors = {name: value for name, value in values.items() if isinstance(value, Tensor)}
    # Looked at together: each look waits for a GPU.
    looks = [value.detach().isfinite().all() for value in tensors.values()]
    good = dict(zip(tensors, torch.stack(looks).tolist() if looks else [], strict=True))
    for name, value in values.items():
        if not isinstance(value, Tensor):
            good[name] = bool(np.isfinite(value).all())
    if bad := [name for name in values if not good[name]]:
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        verb = "is" if len(bad) == 1 else "are"
        raise NotFiniteError(f"{', '.join(bad[:_SHOWN])}{more} {verb} not finite")


@contextmanager
def stopping(when: str) -> Iterator[None]:
    """Say `when` a number was not finite, and what to do."""
    try:
        yield
    except NotFiniteError as error:
        raise NotFiniteError(
            f"stopped at {when}: {error}; nothing more is written. Lower the learning rates, and "
            "look for odd sound or text in the manifests"
        ) from error


def gradient_norm(parameters: Iterable[Tensor]) -> Tensor:
    """Return the norm of all gradients together."""
    gradients = [one.grad for one in parameters if one.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)
