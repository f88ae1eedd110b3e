import itertools
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.eight_rows import eight_rows
from tests.support.tiny_network import TINY
from training.objective import packing
from training.objective.config import ObjectiveConfig
from training.objective.objective import ViewsModel
from training.objective.packing import encode_packed, packs_of

LENGTHS = (0, 3, 40, 38, 5, 0, 12, 1)
KINDS = {
    "whisper": TINY,
    "frozen": replace(TINY, audio_frozen=True, text_frozen=True),
    "compact": replace(TINY, audio="compact", text="compact"),
    "cross_attention": replace(TINY, fusion="cross_attention"),
}


def long_batch(width: int):
    """The eight rows with sounds of `LENGTHS`, padded to the longest."""
    mask = (torch.arange(max(LENGTHS))[None, :] < torch.tensor(LENGTHS)[:, None]).float()
    frames = torch.randn(len(LENGTHS), max(LENGTHS), width) * mask[:, :, None]
    return replace(eight_rows(), frames=frames, frame_mask=mask)


@pytest.fixture(autouse=True)
def cheap_packs(monkeypatch):
    """Packs are worth it for a few steps: these rows are short."""
    monkeypatch.setattr(packing, "_PACK_COST", 5)


def test_rows_of_like_length_are_packed_and_rows_without_a_step_count_one(monkeypatch):
    mask = (torch.arange(40)[None, :] < torch.tensor(LENGTHS)[:, None]).float()

    def found():
        return [(rows.tolist(), steps) for rows, steps in packs_of(mask)]

    assert found() == [([2, 3], 40), ([6], 12), ([1, 4], 5), ([0, 5, 7], 1)]
    monkeypatch.setattr(packing, "_PACK_COST", 50)
    assert found() == [([2, 3, 6], 40), ([0, 1, 4, 5, 7], 5)]
    monkeypatch.setattr(packing, "_PACK_COST", 5000)
    assert found() == [(list(range(8)), 40)]
    assert [(rows.tolist(), steps) for rows, steps in packs_of(torch.zeros(2, 9))] == [([0, 1], 1)]


@pytest.mark.parametrize("cost", [0, 3, 20])
def test_no_other_packs_cost_less(cost, monkeypatch):
    monkeypatch.setattr(packing, "_PACK_COST", cost)
    lengths = torch.tensor([1, 2, 2, 7, 9, 15])
    mask = (torch.arange(15)[None, :] < lengths[:, None]).float()
    packs = packs_of(mask)
    assert sorted(row for rows, _ in packs for row in rows.tolist()) == list(range(6))
    spent = sum(len(rows) * steps + cost for rows, steps in packs)
    for cuts in itertools.product([False, True], repeat=5):
        edges = [0, *(at + 1 for at, cut in enumerate(cuts) if cut), 6]
        other = sum(
            (end - start) * int(lengths[end - 1]) + cost for start, end in itertools.pairwise(edges)
        )
        assert spent <= other


def test_a_hole_in_a_mask_does_not_shorten_its_row():
    mask = torch.ones(1, 6)
    mask[0, 2:4] = 0.0
    assert packs_of(mask)[0][1] == 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("views", [1, 2])
def test_a_packed_batch_scores_and_learns_as_the_padded_one(kind, views):
    torch.manual_seed(0)
    model = Turbo(KINDS[kind]).eval()  # without dropout: its masks fall otherwise
    batch = long_batch(model.audio_front.width)
    states = model.text_front(batch.token_ids, batch.token_mask)

    def padded():
        audio = model.audio_tower(batch.frames, batch.frame_mask, views)
        return audio, model.text_tower(states, batch.token_mask, views)

    def packed():
        return ViewsModel(model, ObjectiveConfig()).eval().encode(batch, views)

    found = []
    for encode in (padded, packed):
        model.zero_grad()
        audio, text = encode()
        logits = model.fusion(audio, text, batch.confidence.repeat(views, 1))
        (logits.square().sum() + audio.pooled.square().sum() + text.pooled.sum()).backward()
        given = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        found.append((logits.detach(), audio, text, given))
    (logits, *encoded, gradients), (again, *encoded_again, gradients_again) = found
    assert torch.allclose(logits, again, atol=1e-5)
    for one, other in zip(encoded, encoded_again, strict=True):
        assert torch.allclose(one.pooled, other.pooled, atol=1e-5)
        assert torch.equal(one.mask, other.mask)
        there = one.mask > 0
        assert torch.allclose(one.states[there], other.states[there], atol=1e-5)
    for name, gradient in gradients.items():
        most = max(1.0, gradient.abs().max().item())
        assert torch.allclose(gradients_again[name], gradient, atol=1e-4 * most), name
    assert len(gradients) > 20


@pytest.mark.parametrize("hidden", [0.0, 0.25])
def test_no_padding_goes_through_the_tower(hidden, tiny):
    batch = long_batch(tiny.audio_front.width)
    seen = []
    tiny.audio_tower.layers[0].register_forward_pre_hook(
        lambda layer, given: seen.append(given[0].shape[0] * given[0].shape[1])
    )
    config = ObjectiveConfig(hide_frames=hidden, hide_words=hidden)
    ViewsModel(tiny, config).train().encode(batch, 2)
    # One step each for the two rows without sound; 38 steps go with 40, and 3 with 5.
    assert sum(seen) == 2 * (sum(LENGTHS) + 2 + 2 + 2)
    assert sum(seen) < 2 * len(LENGTHS) * max(LENGTHS) / 2


def test_rows_stay_in_their_places(tiny):
    batch = long_batch(tiny.audio_front.width)
    tower = tiny.audio_tower.eval()
    packs = packs_of(batch.frame_mask)
    found = encode_packed(tower, batch.frames, batch.frame_mask, 2, packs).pooled
    for row in range(len(LENGTHS)):
        alone = tower(batch.frames[row : row + 1], batch.frame_mask[row : row + 1]).pooled[0]
        for view in range(2):
            assert torch.allclose(found[row + view * len(LENGTHS)], alone, atol=1e-5)
