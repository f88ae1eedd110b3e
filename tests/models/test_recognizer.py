"""A tower on the recognizer's states: what counts, what is trained, and what it has to know."""

import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.config import ModelError
from models.turbo import Turbo
from tests.support.tiny_network import TINY, row

SHARED = replace(
    TINY,
    audio="recognizer",
    audio_architecture=json.dumps({"width": 12, "sha256": "ab"}),
    audio_pool=2,
    hidden=16,
    body_heads=2,
)


@pytest.fixture
def shared():
    torch.manual_seed(0)
    model = Turbo(SHARED).eval()
    model.audio_tower.missing.data.normal_()
    return model


def inputs(steps, *, padding=0, seed=0):
    """One utterance's inputs; the states are padded with what must not matter."""
    states = torch.randn(1, steps, 12, generator=torch.Generator().manual_seed(seed))
    junk = torch.full((1, padding, 12), 7.0)
    return torch.cat([states, junk], dim=1), torch.tensor([steps]), *row(1_600, 5)[2:]


@pytest.mark.parametrize("steps", [1, 7, 8])
def test_padding_of_the_window_does_not_count(shared, steps):
    with torch.inference_mode():
        alone, padded = shared(*inputs(steps)), shared(*inputs(steps, padding=9))
    for one, other in zip(alone[:3], padded[:3], strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_no_states_are_no_sound(shared):
    with torch.inference_mode():
        verdict = shared(*inputs(0, padding=3))
    assert torch.equal(verdict.audio_embedding[0], shared.audio_tower.missing)
    assert torch.isfinite(verdict.logits).all()


def test_states_are_averaged_in_the_front_which_holds_no_weights(shared):
    states, length, *_ = inputs(5)
    frames, mask = shared.audio_front(states, length)
    assert frames.shape == (1, 3, 12) and mask.tolist() == [[1.0, 1.0, 1.0]]
    assert torch.allclose(frames[0, 0], states[0, :2].mean(dim=0))
    assert torch.allclose(frames[0, 2], states[0, 4])
    assert not shared.audio_front.state_dict()
    assert shared.parameter_groups()["audio"] == []


def test_a_printed_front_tells_whose_states_it_reads():
    other = json.dumps({"width": 12, "sha256": "cd"})
    changes = ({}, {"audio_pool": 1}, {"audio_architecture": other})
    assert len({str(Turbo(replace(SHARED, **change)).audio_front) for change in changes}) == 3


@pytest.mark.parametrize("architecture", ["", "{}", '{"width": "x"}', "[]"])
def test_states_of_nobody_are_refused_in_a_line(architecture):
    with pytest.raises(ModelError, match=r"give data\.recognizer=DIR") as caught:
        Turbo(replace(SHARED, audio_architecture=architecture))
    assert "\n" not in str(caught.value)
