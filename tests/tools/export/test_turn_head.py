from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from tools.export.turn_head import with_head_of
from turbo_stream.errors import InputError


def network(seed: int, **changes) -> Turbo:
    torch.manual_seed(seed)
    return Turbo(replace(TINY, **changes)).eval()


def test_the_head_comes_over_and_all_else_stays() -> None:
    model, other = network(0), network(1, end_of_turn=8)
    other.audio_front.load_state_dict(model.audio_front.state_dict())
    headed = with_head_of(model, other)
    for name, value in model.state_dict().items():
        assert torch.equal(headed.state_dict()[name], value), name
    for name, value in other.end_of_turn.state_dict().items():
        assert torch.equal(headed.end_of_turn.state_dict()[name], value), name


def test_a_head_of_another_front_is_refused() -> None:
    with pytest.raises(InputError, match="other values of"):
        with_head_of(network(0), network(1, end_of_turn=8))
    deeper = network(1, end_of_turn=8, audio_lower_layers=2)
    with pytest.raises(InputError, match="other values of|has another"):
        with_head_of(network(0), deeper)
    with pytest.raises(InputError, match="has no end-of-turn head"):
        with_head_of(network(0), network(0))
