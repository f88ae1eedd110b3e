"""A Turbo small enough to train in a moment."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from eight_rows import eight_rows  # noqa: E402
from tiny_network import TINY  # noqa: E402

from models.turbo import Turbo  # noqa: E402
from training.objective import Batch  # noqa: E402


@pytest.fixture
def tiny() -> Turbo:
    """Random weights."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return Turbo(TINY)


@pytest.fixture
def batch() -> Batch:
    """The eight rows of `eight_rows`."""
    return eight_rows()
