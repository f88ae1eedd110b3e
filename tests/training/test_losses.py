import math

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from training.losses import (  # noqa: E402
    alignment,
    cross_modal,
    info_nce,
    same_key,
    two_view_cross_entropy,
    uniformity,
)

NONE = torch.zeros(2, 2, dtype=torch.bool)
AXES = torch.eye(2)


def test_info_nce_of_perfect_pairs_by_hand():
    # Similarities 1 and 0 at scale 2: -log(e^2 / (e^2 + 1)) in both directions.
    loss = info_nce(AXES, AXES, torch.tensor(2.0), same=NONE)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-2.0)), abs=1e-6)


def test_info_nce_of_swapped_pairs_by_hand():
    loss = info_nce(AXES, AXES.flip(0), torch.tensor(2.0), same=NONE)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(2.0)), abs=1e-6)


def test_both_directions_count():
    # Both rows of b are the first axis: a -> b is fully undecided for every row, b -> a is not.
    b = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    loss = info_nce(AXES, b, torch.tensor(1.0), same=NONE)
    forward = math.log(2)
    backward = (math.log(1 + math.exp(-1.0)) + math.log(1 + math.exp(1.0))) / 2
    assert loss.item() == pytest.approx((forward + backward) / 2, abs=1e-6)


def test_equal_transcripts_are_no_negatives():
    keys = torch.tensor([4, 4, 9])
    a = torch.nn.functional.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), dim=1)
    masked = info_nce(a, a, torch.tensor(5.0), same=same_key(keys))
    plain = info_nce(a, a, torch.tensor(5.0), same=same_key(torch.tensor([1, 2, 3])))
    assert masked < plain
    everybody = info_nce(AXES, AXES.flip(0), torch.tensor(3.0), same=torch.ones_like(NONE))
    assert everybody.item() == pytest.approx(0.0, abs=1e-6)


def test_fewer_than_two_rows_are_worth_nothing_and_keep_the_graph():
    one = torch.ones(1, 2, requires_grad=True)
    loss = info_nce(one, one, torch.tensor(1.0), same=NONE[:1, :1])
    loss.backward()
    assert loss.item() == 0.0
    assert one.grad is not None


def test_cross_modal_is_the_mean_of_four_pairs():
    scale = torch.tensor(2.0)
    good = info_nce(AXES, AXES, scale, same=NONE)
    bad = info_nce(AXES, AXES.flip(0), scale, same=NONE)
    # Views: audio right twice, text right once and swapped once.
    loss = cross_modal((AXES, AXES), (AXES, AXES.flip(0)), scale, same=NONE)
    assert loss.item() == pytest.approx((good.item() + bad.item()) / 2, abs=1e-6)


def test_cross_entropy_is_the_mean_of_both_views():
    labels = torch.tensor([0])
    views = (torch.tensor([[0.0, 0.0]]), torch.tensor([[math.log(3.0), 0.0]]))
    expected = (math.log(2.0) - math.log(0.75)) / 2
    assert two_view_cross_entropy(views, labels).item() == pytest.approx(expected, abs=1e-6)


def test_alignment_and_uniformity_by_hand():
    assert alignment(AXES, AXES.flip(0)).item() == pytest.approx(2.0)
    assert uniformity(AXES).item() == pytest.approx(-4.0)
