from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.config import ModelError
from models.turbo import Turbo
from tests.support.tiny_network import TINY, row

FROZEN = replace(
    TINY, hidden=16, body_heads=2, audio_frozen=True, text_frozen=True, audio_pool=3, dropout=0.5
)


@pytest.fixture
def frozen():
    torch.manual_seed(0)
    model = Turbo(FROZEN)
    model.audio_tower.missing.data.normal_()
    model.text_tower.missing.data.normal_()
    return model


def test_only_the_bodies_and_the_head_are_trained(frozen):
    groups = frozen.parameter_groups()
    assert groups["audio"] == groups["text"] == []
    trained = {id(value) for value in groups["head"]}
    for name, value in frozen.named_parameters():
        of_a_front = name.startswith(("audio_front.", "text_front."))
        assert (id(value) in trained) == value.requires_grad == (not of_a_front), name


def test_a_front_ignores_training_mode(frozen):
    wave, length, ids, mask, _ = row(9_000, 5)
    frozen.train()
    assert not any(module.training for module in frozen.audio_front.modules())
    first, second = (frozen.text_front(ids, mask) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert first.shape == (1, 5, frozen.text_front.width)
    frames, frame_mask = frozen.audio_front(wave, length)
    assert frames.shape[2] == frozen.audio_front.width == TINY.encoder_width
    one, other = (frozen.audio_tower(frames, frame_mask).pooled for _ in range(2))
    assert not torch.allclose(one, other)


def test_a_row_does_not_see_its_batch(frozen):
    frozen.eval()
    with torch.inference_mode():
        alone = frozen(*row(9_000, 7))
        rows = row(9_000, 7, pad_samples=11_000), row(20_000, 3, seed=1, pad_tokens=4)
        both = frozen(*[torch.cat(pair) for pair in zip(*rows, strict=True)])
    assert alone.audio_embedding.shape == (1, FROZEN.hidden)
    for one, other in zip(alone[:3], both[:3], strict=True):
        assert torch.allclose(one, other[:1], atol=1e-5)


def test_what_is_missing_is_one_vector(frozen):
    frozen.eval()
    inputs = list(row(8_000, 4, text=0))
    inputs[1] = torch.tensor([0])
    with torch.inference_mode():
        verdict = frozen(*inputs)
    assert torch.equal(verdict.audio_embedding[0], frozen.audio_tower.missing)
    assert torch.equal(verdict.text_embedding[0], frozen.text_tower.missing)
    assert torch.isfinite(verdict.logits).all()


def test_a_printed_front_tells_what_its_output_depends_on():
    fronts = {
        str(Turbo(replace(FROZEN, **changes)).audio_front)
        for changes in ({}, {"audio_pool": 2}, {"heads": 3}, {"audio_lower_layers": 2})
    }
    assert len(fronts) == 4


def test_pooled_frames_are_means_of_what_is_there():
    from models.tower import average_steps

    x = torch.tensor([[1.0, 3.0, 5.0, 9.0, 0.0]])[:, :, None]
    mask = torch.tensor([[1.0, 1.0, 1.0, 1.0, 0.0]])
    means, found = average_steps(x, mask, 3)
    assert means[0, :, 0].tolist() == [3.0, 9.0]
    assert found.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("field", ["audio", "text", "fusion"])
def test_an_unknown_part_is_named(field):
    with pytest.raises(ModelError, match=f"{field} 'nonsense': unknown; allowed: "):
        Turbo(replace(TINY, **{field: "nonsense"}))


@pytest.mark.parametrize("changes", [{"audio_frozen": True}, {"fusion": "cross_attention"}])
def test_heads_that_do_not_divide_the_width_are_named(changes):
    with pytest.raises(ModelError, match="width 50 is not a multiple of 4 heads"):
        Turbo(replace(TINY, hidden=50, body_heads=4, **changes))
