from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
from torch import nn

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from training.data.batch import Batch
from training.objective.config import ObjectiveConfig
from training.objective.objective import (
    Targets,
    ViewsModel,
    geometry,
    objective_terms,
    partners,
)
from turbo_stream.errors import InputError


def terms_of(model, batch: Batch, config: ObjectiveConfig) -> dict[str, torch.Tensor]:
    return objective_terms(ViewsModel(model, config)(batch), Targets.of(batch), config)


def test_views_differ_in_training_and_agree_in_evaluation(tiny, batch):
    present = slice(2, None)  # rows that lack a modality have that modality's one learned vector
    views_model = ViewsModel(tiny, ObjectiveConfig())
    views = views_model.train()(batch)
    for first, second in views[:3]:
        assert not torch.allclose(first[present], second[present])
    views = views_model.eval()(batch)
    for first, second in views[:3]:
        assert torch.allclose(first, second, atol=1e-6)


def test_every_dropout_alone_makes_the_views_differ(tiny, batch):
    views_model = ViewsModel(tiny.train(), ObjectiveConfig())
    found = ((name, part) for name, part in tiny.named_modules() if isinstance(part, nn.Dropout))
    dropouts = {name: part for name, part in found if part.p}
    towers = {name.split(".")[0] for name in dropouts}
    assert towers == {"audio_tower", "text_tower", "fusion"}
    for chosen in dropouts:
        for name, dropout in dropouts.items():
            dropout.p = 0.5 if name == chosen else 0.0
        views = views_model(batch)
        differ = {
            name
            for name, (first, second) in zip(("logits", "audio", "text"), views[:3], strict=True)
            if not torch.allclose(first, second, atol=1e-5)
        }
        own = {"audio_tower": {"audio"}, "text_tower": {"text"}, "fusion": set()}
        assert differ == {"logits"} | own[chosen.split(".")[0]], chosen


@pytest.mark.parametrize("towers", ["trained", "frozen", "compact"])
def test_what_comes_before_the_first_dropout_is_computed_once(towers, tiny, batch):
    if towers == "frozen":
        tiny = Turbo(replace(TINY, audio_frozen=True, text_frozen=True))
        first = {"audio_tower.entry", "text_tower.entry"}
        batch = replace(batch, frames=batch.frames[:, :, : tiny.audio_front.width])
    elif towers == "compact":
        tiny = Turbo(replace(TINY, audio="compact", text="compact"))
        first = {"audio_tower.conv2", "text_tower.norm"}
        batch = replace(batch, frames=torch.randn(8, 10, 80))
    else:
        first = {"text_tower.tokens", "text_tower.norm"}
    # Rows of one length, which go through a tower together.
    frame_mask, token_mask = map(torch.ones_like, (batch.frame_mask, batch.token_mask))
    batch = replace(batch, frame_mask=frame_mask, token_mask=token_mask)
    rows = {}

    def count(name: str):
        return lambda part, given: rows.update({name: len(given[0])})

    for name, part in tiny.named_modules():
        part.register_forward_pre_hook(count(name))
    ViewsModel(tiny.train(), ObjectiveConfig())(batch)
    assert {name: rows[name] for name in first} == dict.fromkeys(first, 8)
    dropouts = {name for name, part in tiny.named_modules() if isinstance(part, nn.Dropout)}
    seen = dropouts & rows.keys() - {name for name in rows if "_front" in name}
    assert len(seen) > 4 and all(rows[name] == 16 for name in seen)


def test_one_view_is_a_plain_forward(tiny, batch):
    views_model = ViewsModel(tiny, ObjectiveConfig(views=1, in_modal=0.0, cross_modal=0.0))
    views = views_model.eval()(batch)
    audio = tiny.audio_tower(batch.frames, batch.frame_mask)
    text = tiny.text_tower(tiny.text_front(batch.token_ids, batch.token_mask), batch.token_mask)
    expected = tiny.fusion(audio, text, batch.confidence)
    assert torch.allclose(views.logits[0], expected, atol=1e-5)
    assert views.audio.shape == views.text.shape == (1, 8, 0)


def test_a_given_text_front_is_not_run_again(tiny, batch):
    views_model = ViewsModel(tiny.eval(), ObjectiveConfig())
    expected = views_model(batch)
    states = tiny.text_front(batch.token_ids, batch.token_mask)
    given = replace(batch, text_states=states, token_ids=torch.zeros_like(batch.token_ids))
    for found, wanted in zip(views_model(given), expected, strict=True):
        assert torch.equal(found, wanted)


def test_each_term_has_its_switch_and_weight(tiny, batch):
    tiny.eval()
    plain = terms_of(tiny, batch, ObjectiveConfig(in_modal=0.0, cross_modal=0.0))
    assert set(plain) == {"loss", "ce"}
    assert torch.equal(plain["loss"], plain["ce"])
    tiny.train()
    torch.manual_seed(0)
    weights = {"in_modal": 0.5, "cross_modal": 0.25, "r_drop": 2.0, "sup_con": 0.125}
    full = terms_of(tiny, batch, ObjectiveConfig(**weights))
    expected = full["ce"] + 0.5 * (full["in_audio"] + full["in_text"]) + 0.25 * full["cross"]
    expected += 2.0 * full["r_drop"] + 0.125 * (full["sup_audio"] + full["sup_text"])
    assert full["loss"].item() == pytest.approx(expected.item(), rel=1e-6)
    assert all(value.item() > 0 for value in full.values())


def test_rows_without_a_modality_take_no_part_in_its_terms(tiny, batch):
    tiny.eval()
    config = ObjectiveConfig(sup_con=0.1)
    before = terms_of(tiny, batch, config)
    frames, ids = batch.frames.clone(), batch.token_ids.clone()
    frames[0], ids[1] = 7.0, 5
    after = terms_of(tiny, replace(batch, frames=frames, token_ids=ids), config)
    for name in ("in_audio", "in_text", "cross", "sup_audio", "sup_text"):
        assert after[name].item() == pytest.approx(before[name].item(), abs=1e-6)


def test_borrowed_words_take_no_part_in_what_joins_them_to_the_sound(tiny, batch):
    tiny.eval()
    config = ObjectiveConfig(sup_con=0.1)
    before = terms_of(tiny, batch, config)
    frames = batch.frames.clone()
    frames[7] = frames[7].flip(-1)
    after = terms_of(tiny, replace(batch, frames=frames), config)
    for name in ("cross", "sup_audio"):
        assert after[name].item() == pytest.approx(before[name].item(), abs=1e-6)
    assert after["in_audio"].item() != pytest.approx(before["in_audio"].item(), abs=1e-6)


@pytest.mark.parametrize("kind", ["text", "recording"])
def test_false_negatives_are_masked_and_can_be_kept(kind, tiny, batch):
    tiny.eval()
    column, switch = f"{kind}_keys", f"mask_same_{kind}"
    apart = replace(batch, text_keys=torch.arange(8), recording_keys=torch.arange(8))
    keys = torch.arange(8)
    keys[3] = keys[4]
    together = replace(apart, **{column: keys})
    masked, kept = ObjectiveConfig(), ObjectiveConfig(**{switch: False})
    plain = terms_of(tiny, apart, masked)
    for name in ("in_audio", "in_text", "cross"):
        assert terms_of(tiny, together, masked)[name] < plain[name]
        assert torch.equal(terms_of(tiny, together, kept)[name], plain[name])


@pytest.mark.parametrize("part", ["classes", "contrast"])
def test_the_parts_are_the_whole_and_the_masks_of_each_are_the_same(part, tiny, batch):
    config = ObjectiveConfig(in_modal=0.5, cross_modal=0.25, r_drop=2.0, sup_con=0.125)
    views_model = ViewsModel(tiny, config).train()

    def seen(chosen):
        torch.manual_seed(0)
        terms = objective_terms(views_model(batch, chosen), Targets.of(batch), config, chosen)
        return terms, torch.get_rng_state()

    whole, after = seen(None)
    found, then = seen(part)
    assert torch.equal(after, then)
    names = {"ce", "r_drop"}
    expected = names if part == "classes" else set(whole) - names - {"loss"}
    assert set(found) == expected | {"loss"}
    for name in expected:
        assert torch.equal(found[name], whole[name])
    other, _ = seen("contrast" if part == "classes" else "classes")
    assert (found["loss"] + other["loss"]).item() == pytest.approx(whole["loss"].item(), rel=1e-6)


def test_the_length_of_a_sound_says_nothing_of_the_words_it_is_shuffled_with():
    """Batches come sorted by length: the place in one is its rank."""
    places = torch.arange(64).double()
    correlations = []
    for seed in range(40):
        keys = torch.randint(2**62, (64,), generator=torch.Generator().manual_seed(seed))
        before = torch.get_rng_state()
        drawn = partners(keys)
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(drawn, partners(keys))
        assert sorted(drawn.tolist()) == list(range(64))
        assert not (drawn == torch.arange(64)).any()
        correlations.append(torch.corrcoef(torch.stack([places, drawn.double()]))[0, 1].item())
    assert abs(sum(correlations) / 40) < 0.1
    assert len({round(value, 6) for value in correlations}) == 40


def test_chunked_similarities_give_the_same_loss(tiny, batch):
    tiny.eval()
    config = ObjectiveConfig(sup_con=0.1)
    whole = terms_of(tiny, batch, config)
    parts = terms_of(tiny, batch, replace(config, loss_chunk=3))
    for name, value in whole.items():
        assert parts[name].item() == pytest.approx(value.item(), abs=1e-6)


def test_temperature_is_confined_and_can_be_fixed(tiny, batch):
    config = ObjectiveConfig(min_temperature=0.05, max_temperature=0.2)
    views_model = ViewsModel(tiny, config)
    for beyond, bound in ((50.0, 20.0), (-50.0, 5.0)):
        views_model.log_scale.data.fill_(beyond)
        views_model.confine()
        assert views_model.scale.item() == pytest.approx(bound, rel=1e-5)
        # At its bound it can still be told to come back.
        views_model.zero_grad()
        objective_terms(views_model(batch), Targets.of(batch), config)["loss"].backward()
        assert views_model.log_scale.grad.item() != 0.0
    for learn in (True, False):
        views_model = ViewsModel(tiny, ObjectiveConfig(learn_temperature=learn))
        config = views_model.config
        objective_terms(views_model(batch), Targets.of(batch), config)["loss"].backward()
        assert (views_model.log_scale.grad is not None) == learn


@pytest.mark.parametrize(
    "wrong",
    [{"views": 3}, {"views": 1}, {"temperature": 0.9}, {"min_temperature": 0.0}],
)
def test_what_contradicts_itself_is_refused(wrong, tiny):
    if "min_temperature" in wrong:
        wrong = {**wrong, "temperature": 0.0}
    with pytest.raises(InputError, match="objective"):
        ViewsModel(tiny, ObjectiveConfig(**wrong))


def test_geometry_is_measured_for_every_arm_and_trains_nothing(tiny, batch):
    views_model = ViewsModel(tiny, ObjectiveConfig(views=1, in_modal=0.0, cross_modal=0.0))
    found = geometry(views_model.train(), batch)
    assert set(found) == {
        *(f"{what}_{of}" for what in ("alignment", "uniformity") for of in ("audio", "text")),
        "alignment_cross",
    }
    assert all(not value.requires_grad for value in found.values())
    assert 0.0 < found["alignment_audio"] < 4.0 and 0.0 < found["alignment_cross"] < 4.0
    assert -4.0 <= found["uniformity_text"] < 0.0
    assert geometry(views_model.eval(), batch)["alignment_text"] < 1e-6


def test_one_batch_is_learned_by_heart(tiny, batch):
    torch.manual_seed(0)
    views_model = ViewsModel(tiny, ObjectiveConfig()).train()
    optimizer = torch.optim.AdamW(views_model.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        terms = objective_terms(views_model(batch), Targets.of(batch), views_model.config)
        terms["loss"].backward()
        optimizer.step()
    views = views_model.eval()(batch)
    assert (views.logits[0].argmax(dim=1) == batch.labels).all()
    assert terms["ce"].item() < 0.05


def test_rows_of_the_same_class_are_negatives_unless_masked(tiny, batch):
    tiny.eval()
    plain = terms_of(tiny, batch, ObjectiveConfig())
    masked = terms_of(tiny, batch, ObjectiveConfig(mask_same_label=True))
    for name in ("in_audio", "in_text", "cross"):
        assert masked[name] < plain[name]
