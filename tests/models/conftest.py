"""A Turbo small enough to build in a moment."""

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.tiny_network import TINY


@pytest.fixture
def tiny() -> Turbo:
    """Random weights, evaluation mode; nothing that is zero at the start stays zero."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = Turbo(TINY)
    for parameter in (model.audio_tower.missing, model.text_tower.missing):
        parameter.data.normal_()
    return model.eval()
