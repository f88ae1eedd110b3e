import math

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
import torch.nn.functional as F

from training.objective.losses import (
    alignment,
    cross_entropy,
    cross_modal,
    in_modal,
    info_nce,
    r_drop,
    same_key,
    supervised_contrastive,
    uniformity,
)

NO_KEYS = torch.zeros(2, 0, dtype=torch.long)
AXES = torch.eye(2)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=random), dim=-1)


def test_info_nce_of_perfect_pairs_by_hand():
    # Similarities 1 and 0 at scale 2: -log(e^2 / (e^2 + 1)) in both directions.
    loss = info_nce(AXES, AXES, torch.tensor(2.0), keys=NO_KEYS)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2.0)), abs=1e-6)


def test_info_nce_of_swapped_pairs_by_hand():
    loss = info_nce(AXES, AXES.flip(0), torch.tensor(2.0), keys=NO_KEYS)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(2.0)), abs=1e-6)


def test_both_directions_count():
    # Both rows of b are the first axis: a -> b is fully undecided for every row, b -> a is not.
    b = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    loss = info_nce(AXES, b, torch.tensor(1.0), keys=NO_KEYS)
    forward = math.log(2)
    backward = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(1.0))) / 2
    assert loss.item() == pytest.approx((forward + backward) / 2, abs=1e-6)


def test_keys_agree_in_any_column():
    keys = torch.tensor([[1, 5], [1, 6], [2, 6], [3, 7]])
    expected = torch.eye(4, dtype=torch.bool)
    expected[0, 1] = expected[1, 0] = expected[1, 2] = expected[2, 1] = True
    assert torch.equal(same_key(keys, keys), expected)
    assert not same_key(keys[:, :0], keys[:, :0]).any()


def test_rows_with_a_common_key_are_no_negatives():
    keys = torch.tensor([[4], [4], [9]])
    a = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), dim=1)
    masked = info_nce(a, a, torch.tensor(5.0), keys=keys)
    # Row 0 and row 1 each stand against row 2 alone, row 2 against both.
    logits = 5.0 * a @ a.T
    logits[0, 1] = logits[1, 0] = float("-inf")
    assert masked.item() == pytest.approx(F.cross_entropy(logits, torch.arange(3)).item())
    same = torch.zeros(2, 1, dtype=torch.long)
    everybody = info_nce(AXES, AXES.flip(0), torch.tensor(3.0), keys=same)
    assert everybody.item() == pytest.approx(0.0, abs=1e-6)


def test_fewer_than_two_rows_are_worth_nothing_and_keep_the_graph():
    for rows in (0, 1):
        views = torch.ones(2, rows, 2, requires_grad=True)
        keys = torch.zeros(rows, 1, dtype=torch.long)
        terms = [
            in_modal(views, torch.tensor(1.0), keys=keys),
            cross_modal(views, views, torch.tensor(1.0), keys=keys),
            supervised_contrastive(views[:1], keys[:, 0], torch.tensor(1.0)),
        ]
        loss = torch.stack(terms).sum()
        loss.backward()
        assert loss.item() == 0.0
        assert torch.equal(views.grad, torch.zeros_like(views))


def test_cross_modal_is_the_mean_of_four_pairs():
    scale = torch.tensor(2.0)
    good = info_nce(AXES, AXES, scale, keys=NO_KEYS)
    bad = info_nce(AXES, AXES.flip(0), scale, keys=NO_KEYS)
    audio = torch.stack([AXES, AXES])
    text = torch.stack([AXES, AXES.flip(0)])
    loss = cross_modal(audio, text, scale, keys=NO_KEYS)
    assert loss.item() == pytest.approx((good.item() + bad.item()) / 2, abs=1e-6)


def test_cross_entropy_is_the_mean_of_the_views():
    labels = torch.tensor([0])
    views = torch.tensor([[[0.0, 0.0]], [[math.log(3.0), 0.0]]])
    expected = (math.log(2.0) - math.log(0.75)) / 2
    assert cross_entropy(views, labels).item() == pytest.approx(expected, abs=1e-6)
    assert cross_entropy(views[:1], labels).item() == pytest.approx(math.log(2.0), abs=1e-6)


def test_r_drop_by_hand():
    even, sure = torch.zeros(2), torch.tensor([math.log(3.0), 0.0])  # (1/2, 1/2) and (3/4, 1/4)
    one_way = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)
    other_way = 0.75 * math.log(0.75 / 0.5) + 0.25 * math.log(0.25 / 0.5)
    found = r_drop(torch.stack([even, sure])[:, None])
    assert found.item() == pytest.approx((one_way + other_way) / 2, abs=1e-6)
    assert r_drop(torch.stack([sure, sure])[:, None]).item() == 0.0


def test_supervised_contrastive_against_its_formula():
    views, labels, scale = unit(2, 5, 4), torch.tensor([0, 1, 0, 2, 1]), 3.0
    vectors, classes = torch.cat([views[0], views[1]]), labels.tolist() * 2
    total = 0.0
    for i in range(10):
        similarity = [math.exp(scale * float(vectors[i] @ vectors[j])) for j in range(10)]
        everybody = sum(similarity) - similarity[i]
        positives = [j for j in range(10) if j != i and classes[j] == classes[i]]
        total -= sum(math.log(similarity[j] / everybody) for j in positives) / len(positives)
    found = supervised_contrastive(views, labels, torch.tensor(scale))
    assert found.item() == pytest.approx(total / 10, rel=1e-5)


def test_an_anchor_without_a_positive_is_left_out():
    vectors = torch.cat([AXES[:1], AXES[:1], AXES[1:]])[None]
    found = supervised_contrastive(vectors, torch.tensor([0, 0, 1]), torch.tensor(2.0))
    # Rows 0 and 1 are the same vector, row 2 is orthogonal.
    assert found.item() == pytest.approx(math.log(1 + math.exp(-2.0)), abs=1e-6)


@pytest.mark.parametrize("term", ["in_modal", "cross_modal", "supervised_contrastive"])
def test_chunks_change_neither_value_nor_gradient(term):
    keys = torch.tensor([[0, i // 2] if i % 5 else [i, i // 2] for i in range(23)])

    def run(chunk: int) -> list[torch.Tensor]:
        audio = unit(2, 23, 8).requires_grad_()
        text = unit(2, 23, 8, seed=1).requires_grad_()
        scale = torch.tensor(7.0, requires_grad=True)
        if term == "in_modal":
            loss = in_modal(audio, scale, keys=keys, chunk=chunk)
        elif term == "cross_modal":
            loss = cross_modal(audio, text, scale, keys=keys, chunk=chunk)
        else:
            loss = supervised_contrastive(audio, keys[:, 0] % 3, scale, chunk=chunk)
        loss.backward()
        return [loss.detach(), audio.grad, scale.grad] + [text.grad] * (term == "cross_modal")

    for whole, part in zip(run(0), run(5), strict=True):
        assert torch.allclose(whole, part, atol=1e-6, rtol=1e-5)


def saved_bytes(rows: int, chunk: int) -> int:
    """What the graph of an InfoNCE over `rows` keeps for its backward pass."""
    kept: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    views = unit(2, rows, 8).requires_grad_()
    keys = torch.arange(rows)[:, None]
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        loss = in_modal(views, torch.tensor(5.0, requires_grad=True), keys=keys, chunk=chunk)
    assert loss.requires_grad
    return sum(kept.values())


def test_memory_of_chunks_is_linear_in_the_batch():
    # Four times the rows: sixteen times the logits, unless they are made in chunks.
    assert saved_bytes(512, 0) > 12 * saved_bytes(128, 0)
    assert saved_bytes(512, 64) < 5 * saved_bytes(128, 64)
    assert saved_bytes(512, 64) < saved_bytes(512, 0) / 20


def test_alignment_and_uniformity_by_hand():
    assert alignment(AXES, AXES.flip(0)).item() == pytest.approx(2.0)
    assert uniformity(AXES).item() == pytest.approx(-4.0)
    vectors = unit(9, 5)
    pairs = torch.pdist(vectors).square().mul(-2.0).exp().mean().log()
    assert uniformity(vectors).item() == pytest.approx(pairs.item(), abs=1e-5)
    for few in (AXES[:0], AXES[:1]):
        assert uniformity(few).item() == 0.0
        assert alignment(few, few).item() == 0.0
