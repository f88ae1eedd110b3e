import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.transformer import EncoderLayer
from tests.support.tiny_network import row


@pytest.mark.parametrize("samples", [161, 4_801, 16_000, 23_456])
def test_padding_does_not_matter(tiny, samples):
    with torch.inference_mode():
        alone = tiny(*row(samples, 5))
        padded = tiny(*row(samples, 5, pad_samples=7_001, pad_tokens=6))
    for one, other in zip(alone[:3], padded[:3], strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_neighbours_do_not_matter(tiny):
    alone = row(9_000, 7)
    short, long = alone, row(20_000, 3, seed=1, pad_tokens=4)
    short = row(9_000, 7, pad_samples=11_000)
    both = [torch.cat(pair) for pair in zip(short, long, strict=True)]
    with torch.inference_mode():
        assert torch.allclose(tiny(*both).logits[:1], tiny(*alone).logits, atol=1e-5)


def test_missing_text_is_one_vector_whatever_stands_there(tiny):
    with torch.inference_mode():
        one = tiny(*row(8_000, 2, text=0))
        other = tiny(*row(8_000, 9, text=0))
    assert torch.equal(one.text_embedding[0], tiny.text_tower.missing)
    assert torch.allclose(one.logits, other.logits, atol=1e-6)


def test_missing_sound_is_one_vector(tiny):
    inputs = list(row(8_000, 4))
    inputs[1] = torch.tensor([0])
    with torch.inference_mode():
        verdict = tiny(*inputs)
    assert torch.equal(verdict.audio_embedding[0], tiny.audio_tower.missing)
    assert torch.isfinite(verdict.logits).all()


def test_a_name_before_the_transcript_changes_its_segment(tiny):
    sep = tiny.config.sep_token_id
    named = torch.tensor([[2, 20, sep, 30, 31, sep]])
    merged = torch.tensor([[2, 20, 33, 30, 31, sep]])
    mask = torch.ones_like(named)
    with torch.inference_mode():
        before = tiny.text_tower(named, mask).pooled
        tiny.text_tower.segments.weight[1, ::2] += 1.0
        assert not torch.allclose(tiny.text_tower(named, mask).pooled, before)
        alone = tiny.text_tower(merged, mask).pooled
        tiny.text_tower.segments.weight[1, ::2] += 1.0
        assert torch.allclose(tiny.text_tower(merged, mask).pooled, alone)


def test_dropout_inside_the_layers_is_one_of_training_alone():
    torch.manual_seed(0)
    shape = {"hidden": 8, "heads": 2, "feed_forward": 16, "norm_epsilon": 1e-5, "dropout": 0.0}
    x, bias = torch.randn(2, 5, 8), torch.zeros(2, 1, 1, 5)
    for pre_norm in (True, False):
        plain = EncoderLayer(**shape, pre_norm=pre_norm).train()
        inside = EncoderLayer(**shape, pre_norm=pre_norm, inner_dropout=0.5).train()
        inside.load_state_dict(plain.state_dict())
        assert str(inside) == str(plain)  # what is kept of a frozen front stands under its print
        for part, given in ((inside._attend, (x, bias)), (inside._transform, (x,))):
            first, second = part(*given), part(*given)
            assert (first - second).abs().max() > 1e-3
        assert torch.equal(inside.eval()(x, bias), plain(x, bias))
