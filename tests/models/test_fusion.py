from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.fusion import build_fusion, confidence_features
from models.tower import Encoded
from models.turbo import Turbo
from tests.support.tiny_network import TINY, row

JOINING = ("concat", "gated", "cross_attention")
FUSIONS = (*JOINING, "additive")


def encoded(steps, *, missing=(), seed=0):
    """Three rows of random states; `missing` ones have none."""
    random = torch.Generator().manual_seed(seed)
    states = torch.randn(3, steps, TINY.hidden, generator=random)
    mask = torch.ones(3, steps)
    for index in missing:
        mask[index] = 0.0
    return Encoded(torch.randn(3, TINY.hidden, generator=random).requires_grad_(), states, mask)


def fusion(kind, **changes):
    torch.manual_seed(0)
    return build_fusion(replace(TINY, fusion=kind, **changes)).eval()


@pytest.mark.parametrize("kind", JOINING)
def test_rows_that_lack_something_stay_finite_and_learn(kind):
    audio, text = encoded(9, missing=(0, 2)), encoded(4, missing=(1, 2), seed=1)
    for side in (audio, text):
        side.states.requires_grad_()
    network = fusion(kind)
    logits = network(audio, text, torch.zeros(3, 4))
    assert torch.isfinite(logits).all()
    logits.square().sum().backward()
    for side in (audio, text):
        assert (side.pooled.grad.abs().sum(dim=1) > 0).all()
        if side.states.grad is not None:
            assert torch.isfinite(side.states.grad).all()
    for name, value in network.named_parameters():
        assert torch.isfinite(value.grad).all(), name


def test_added_logits_are_those_of_the_words_and_a_share_of_the_sounds():
    audio, text = encoded(9), encoded(4, seed=1)
    no_audio, no_text = encoded(9, missing=(0, 1, 2)), encoded(4, missing=(0, 1, 2), seed=1)
    network, none = fusion("additive", sound_share=0.25), torch.zeros(3, 4)
    both, sound, words = (
        network(*pair, none) for pair in ((audio, text), (audio, no_text), (no_audio, text))
    )
    assert torch.allclose(both, words + 0.25 * sound)
    assert torch.equal(network(no_audio, no_text, none), torch.zeros_like(both))


def test_cross_attention_reads_the_other_s_states():
    network = fusion("cross_attention")
    audio, text = encoded(9), encoded(4, seed=1)
    for side in (audio, text):
        side.states.requires_grad_()
    network(audio, text, torch.zeros(3, 4)).sum().backward()
    assert audio.states.grad.abs().sum() > 0
    assert text.states.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", FUSIONS)
def test_a_row_does_not_see_its_batch(kind):
    torch.manual_seed(0)
    model = Turbo(replace(TINY, fusion=kind)).eval()
    with torch.inference_mode():
        alone = model(*row(9_000, 7)).logits
        rows = row(9_000, 7, pad_samples=11_000), row(20_000, 3, seed=1, pad_tokens=4)
        both = model(*[torch.cat(pair) for pair in zip(*rows, strict=True)]).logits
    assert torch.allclose(both[:1], alone, atol=1e-5)


@pytest.mark.parametrize("kind", FUSIONS)
def test_gradients_reach_both_towers(kind):
    torch.manual_seed(0)
    model = Turbo(replace(TINY, fusion=kind))
    model(*row(9_000, 5)).logits.square().sum().backward()
    for tower in (model.audio_tower, model.text_tower):
        assert tower.layers[0].query.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", JOINING)
def test_confidence_can_be_left_out(kind):
    audio, text = encoded(9), encoded(4, seed=1)
    sure, unsure = (
        torch.tensor([[-0.1, 0.0, 1.0, 0.0]] * 3),
        torch.tensor([[-3.0, 0.9, 2.0, 0.0]] * 3),
    )
    without, with_it = fusion(kind, use_confidence=False), fusion(kind)
    assert torch.equal(without(audio, text, sure), without(audio, text, unsure))
    assert not torch.allclose(with_it(audio, text, sure), with_it(audio, text, unsure))


def test_missing_confidence_hides_its_values():
    missing = torch.tensor([[-3.0, 0.9, 2.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    features = confidence_features(missing)
    assert torch.equal(features[0], features[1])


def test_no_projection_compares_the_embeddings_themselves():
    model = Turbo(replace(TINY, projection=0))
    assert not list(model.audio_projection.parameters())
    vector = torch.randn(3, TINY.hidden)
    unit = model.audio_projection(vector)
    assert torch.allclose(unit, torch.nn.functional.normalize(vector), atol=1e-6)
