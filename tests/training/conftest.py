"""A Turbo small enough to train in a moment."""

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.eight_rows import eight_rows
from tests.support.tiny_network import TINY
from training.data.batch import Batch


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
