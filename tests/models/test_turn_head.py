"""The head that hears whether a speaker has finished."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.end_of_turn import EDGES, EndOfTurn
from models.turbo import Turbo
from tests.support.tiny_network import TINY, row


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Turbo(replace(TINY, end_of_turn=24)).eval()


def test_windows_are_means_counted_from_the_end():
    frames = torch.arange(5.0)[None, :, None]
    mask = torch.tensor([[1.0, 1.0, 1.0, 1.0, 0.0]])
    found = EndOfTurn.windows(frames, mask)[0]
    assert len(found) == len(EDGES) - 1
    assert found[0] == pytest.approx((1 + 2 + 3) / 3)  # the newest three that count
    assert found[1] == pytest.approx(0.0)  # the oldest, whose value is 0
    assert (found[2:] == 0.0).all()


def test_padding_says_nothing(model):
    with torch.inference_mode():
        plain = model(*row(20_000, 6)).end_of_turn
        padded = model(*row(20_000, 6, pad_samples=9_000, pad_tokens=3)).end_of_turn
    assert plain.shape == (1,)
    assert torch.allclose(plain, padded, atol=1e-5)


def test_text_says_nothing(model):
    with torch.inference_mode():
        assert torch.equal(
            model(*row(20_000, 6)).end_of_turn, model(*row(20_000, 6, text=0)).end_of_turn
        )


def test_the_other_outputs_stay_what_they_are(model):
    plain = Turbo(TINY).eval()
    plain.load_state_dict(
        {k: v for k, v in model.state_dict().items() if not k.startswith("end_of_turn.")}
    )
    with torch.inference_mode():
        with_head, without = model(*row(20_000, 6)), plain(*row(20_000, 6))
    assert without.end_of_turn is None
    assert torch.equal(with_head.logits, without.logits)
    assert torch.equal(with_head.audio_embedding, without.audio_embedding)


def test_no_other_training_moves_it(model):
    assert not any(weight.requires_grad for weight in model.end_of_turn.parameters())
