from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.config import ModelError
from models.mel import CausalLogMel
from models.turbo import Turbo
from tests.support.tiny_network import TINY, row

COMPACT = replace(
    TINY, audio="compact", text="compact", body_layers=2, body_heads=2, chunk_steps=4, left_chunks=1
)
CHUNK_SAMPLES = 4 * 640


@pytest.fixture
def compact():
    torch.manual_seed(0)
    model = Turbo(COMPACT).eval()
    for parameter in (model.audio_tower.missing, model.text_tower.missing):
        parameter.data.normal_()
    return model


def states(model, wave):
    frames, mask = model.audio_front(wave, torch.tensor([wave.shape[1]]))
    encoded = model.audio_tower(frames, mask)
    return encoded.states[:, : int(encoded.mask.sum())]


@torch.inference_mode()
def test_more_sound_after_a_chunk_never_changes_earlier_states(compact):
    wave = torch.randn(1, 9 * CHUNK_SAMPLES + 777, generator=torch.Generator().manual_seed(0)) * 0.1
    whole = states(compact, wave)
    for chunks in (1, 2, 5, 9):
        early = states(compact, wave[:, : chunks * CHUNK_SAMPLES])
        assert early.shape[1] == 4 * chunks
        assert torch.allclose(early, whole[:, : 4 * chunks], atol=1e-5)


@torch.inference_mode()
def test_a_state_hears_its_whole_chunk_and_a_limited_past(compact):
    wave = torch.randn(1, 8 * CHUNK_SAMPLES, generator=torch.Generator().manual_seed(0)) * 0.1
    frames, mask = compact.audio_front(wave, torch.tensor([wave.shape[1]]))
    before = compact.audio_tower(frames, mask).states
    changed = frames.clone()
    changed[:, 15] += 1.0  # the last frame of the first chunk
    moved = (compact.audio_tower(changed, mask).states - before).abs().amax(dim=2)[0] > 1e-6
    # Two layers that see one chunk back, and a convolution that reaches a frame into the next.
    assert moved[:12].all()
    assert not moved[4 * (1 + 2 + 1) :].any()


def test_mel_frames_end_where_they_are_heard():
    wave = torch.randn(1, 4_800, generator=torch.Generator().manual_seed(0))
    mel = CausalLogMel()
    whole, _ = mel(wave, torch.tensor([4_800]))
    half, mask = mel(wave[:, :1_600], torch.tensor([1_600]))
    assert int(mask.sum()) == 10
    assert torch.allclose(half[:, :10], whole[:, :10], atol=1e-5)


def test_level_does_not_matter():
    wave = torch.randn(1, 4_800, generator=torch.Generator().manual_seed(0))
    loud, mask = CausalLogMel()(wave * 0.3, torch.tensor([4_800]))
    quiet, _ = CausalLogMel()(wave * 0.003, torch.tensor([4_800]))
    assert torch.allclose(loud[:, :30], quiet[:, :30], atol=1e-3)


@torch.inference_mode()
def test_a_row_does_not_see_its_batch(compact):
    alone = compact(*row(9_000, 7))
    rows = row(9_000, 7, pad_samples=11_000), row(20_000, 3, seed=1, pad_tokens=4)
    both = compact(*[torch.cat(pair) for pair in zip(*rows, strict=True)])
    for one, other in zip(alone[:3], both[:3], strict=True):
        assert torch.allclose(one, other[:1], atol=1e-5)


@torch.inference_mode()
def test_what_is_missing_is_one_vector(compact):
    inputs = list(row(8_000, 4, text=0))
    inputs[1] = torch.tensor([0])
    verdict = compact(*inputs)
    assert torch.equal(verdict.audio_embedding[0], compact.audio_tower.missing)
    assert torch.equal(verdict.text_embedding[0], compact.text_tower.missing)
    assert torch.isfinite(verdict.logits).all()


def test_two_views_differ_by_dropout_and_everything_learns(compact):
    compact.train()
    inputs = row(9_000, 5)
    first, second = compact(*inputs), compact(*inputs)
    assert not torch.allclose(first.audio_embedding, second.audio_embedding)
    assert not torch.allclose(first.text_embedding, second.text_embedding)
    first.logits.square().sum().backward()
    for name, value in compact.named_parameters():
        if not name.startswith(("audio_projection", "text_projection")):
            assert value.grad is not None, name


@pytest.mark.parametrize("kind", ["audio", "text"])
def test_what_is_untrained_cannot_be_frozen(kind):
    with pytest.raises(ModelError, match=f"{kind}_frozen=true: "):
        Turbo(replace(COMPACT, **{f"{kind}_frozen": True}))
