from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.transformer import EncoderLayer
from training.objective.config import ARMS, ObjectiveConfig, select_arm
from training.objective.grad_cache import Gradients, RandomState
from training.objective.objective import Targets, Views, ViewsModel, objective_terms

EVERYTHING = ObjectiveConfig(in_modal=0.5, cross_modal=0.5, r_drop=1.0, sup_con=0.5)


def cached(
    views_model: ViewsModel, batch, chunk: int, part=None, **options
) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    views_model.zero_grad()
    gradients = Gradients(views_model, views_model.config, chunk=chunk, **options)
    terms = gradients.add(batch, part=part)
    assert not any(value.requires_grad for value in terms.values())
    return gradients_of(views_model)


def gradients_of(views_model: ViewsModel) -> dict[str, torch.Tensor]:
    named = views_model.named_parameters()
    return {name: value.grad.clone() for name, value in named if value.grad is not None}


def with_all_graphs_kept(
    views_model: ViewsModel, batch, chunk: int, part=None
) -> dict[str, torch.Tensor]:
    """What caching is to equal: the same chunks under the same masks, and one backward pass."""
    torch.manual_seed(7)
    views_model.zero_grad()
    *parts, scales = zip(*(views_model(some, part) for some in batch.split(chunk)), strict=True)
    views = Views(*(torch.cat(some, dim=1) for some in parts), scales[0])
    objective_terms(views, Targets.of(batch), views_model.config, part)["loss"].backward()
    return gradients_of(views_model)


def differ(first: dict, second: dict) -> float:
    assert first.keys() == second.keys()
    return max((first[name] - second[name]).abs().max().item() for name in first)


@pytest.mark.parametrize("chunk", [1, 3, 4])
def test_cached_gradients_are_those_of_the_whole_batch_with_dropout(chunk, tiny, batch):
    views_model = ViewsModel(tiny, EVERYTHING).train()
    expected = with_all_graphs_kept(views_model, batch, chunk)
    after = torch.get_rng_state()
    found = cached(views_model, batch, chunk)
    assert "log_scale" in found and "model.text_projection.layers.0.weight" in found
    assert differ(found, expected) < 1e-5
    assert max(value.abs().max().item() for value in expected.values()) > 0.01
    # The next step goes on where this one's masks end.
    assert torch.equal(torch.get_rng_state(), after)


@pytest.mark.parametrize("part", [None, "classes", "contrast"])
def test_cached_gradients_are_those_of_the_whole_batch_with_words_and_frames_hidden(
    part, tiny, batch
):
    hiding = replace(EVERYTHING, hide_frames=0.5, hide_words=0.4)
    for module in tiny.modules():
        if isinstance(module, EncoderLayer):
            module.inner_dropout = 0.2
    views_model = ViewsModel(tiny, hiding).train()
    expected = with_all_graphs_kept(views_model, batch, 3, part)
    found = cached(views_model, batch, 3, part)
    assert differ(found, expected) < 1e-5
    assert max(value.abs().max().item() for value in expected.values()) > 0.01
    plain = ViewsModel(tiny, EVERYTHING).train()
    assert differ(with_all_graphs_kept(plain, batch, 3, part), expected) > 1e-3


@pytest.mark.parametrize("chunk", [0, 3])
def test_gradients_of_the_parts_are_those_of_the_whole(chunk, tiny, batch):
    views_model = ViewsModel(tiny, EVERYTHING).train()
    whole = cached(views_model, batch, chunk)
    gradients = Gradients(views_model, EVERYTHING, chunk=chunk)
    views_model.zero_grad()
    for part in EVERYTHING.parts:
        torch.manual_seed(7)
        gradients.add(batch, part=part)
    assert differ(gradients_of(views_model), whole) < 1e-5


def test_a_second_pass_under_other_masks_gives_other_gradients(tiny, batch, monkeypatch):
    views_model = ViewsModel(tiny, EVERYTHING).train()
    expected = with_all_graphs_kept(views_model, batch, 3)
    monkeypatch.setattr(RandomState, "replay", lambda self, device: None)
    assert differ(cached(views_model, batch, 3), expected) > 1e-2


def test_cached_is_whole_where_there_is_no_dropout(tiny, batch):
    views_model = ViewsModel(tiny, EVERYTHING).eval()
    assert differ(cached(views_model, batch, 3), cached(views_model, batch, 0)) < 1e-5


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_can_be_cached(arm, tiny, batch):
    views_model = ViewsModel(tiny, select_arm(ObjectiveConfig(), arm)).train()
    expected = with_all_graphs_kept(views_model, batch, 4)
    assert differ(cached(views_model, batch, 4), expected) < 1e-5


def test_autocast_does_not_reuse_weights_cast_without_a_graph(tiny, batch):
    views_model = ViewsModel(tiny, EVERYTHING).eval()
    whole, parts = (cached(views_model, batch, chunk, bf16=True) for chunk in (0, 3))
    weight = "model.text_tower.layers.0.widen.weight"
    assert torch.allclose(parts[weight], whole[weight], atol=0.05 * whole[weight].abs().max())


def test_weights_of_batches_add_up(tiny, batch):
    views_model = ViewsModel(tiny, EVERYTHING).eval()
    other = replace(batch, labels=1 - batch.labels)
    apart = [cached(views_model, one, 0) for one in (batch, other)]
    views_model.zero_grad()
    gradients = Gradients(views_model, EVERYTHING)
    gradients.add(batch, weight=0.5, sync=False)
    gradients.add(other, weight=0.5)
    mean = {name: (apart[0][name] + apart[1][name]) / 2 for name in apart[0]}
    assert differ(gradients_of(views_model), mean) < 1e-5


@pytest.mark.parametrize(
    ("arm", "part", "passes"),
    [
        ("ce", "classes", 3),
        ("ce_2view", None, 3),
        ("turbo", "classes", 3),
        ("turbo", "contrast", 6),
    ],
)
def test_only_what_compares_rows_goes_through_the_network_twice(arm, part, passes, tiny, batch):
    views_model = ViewsModel(tiny, select_arm(ObjectiveConfig(), arm)).train()
    calls = []
    views_model.register_forward_pre_hook(lambda model, given: calls.append(len(given[0].labels)))
    found = cached(views_model, batch, 3, part)
    assert calls == [3, 3, 2] * (passes // 3)
    assert differ(found, with_all_graphs_kept(views_model, batch, 3, part)) < 1e-5


def test_the_terms_of_chunks_are_those_of_the_whole(tiny, batch):
    views_model = ViewsModel(tiny, replace(EVERYTHING, in_modal=0.0, cross_modal=0.0)).eval()
    whole, apart = (
        Gradients(views_model, views_model.config, chunk=chunk).add(batch, part="classes")
        for chunk in (0, 3)
    )
    assert whole.keys() == apart.keys() == {"loss", "ce", "r_drop"}
    for name in whole:
        assert torch.allclose(whole[name], apart[name], atol=1e-6)
