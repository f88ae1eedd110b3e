from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from training.objective import Objective, ObjectiveConfig, dual_forward  # noqa: E402


def test_views_differ_in_training_and_agree_in_evaluation(tiny, batch):
    tiny.train()
    views = dual_forward(tiny, batch)
    present = slice(2, None)  # rows that lack a modality have that modality's one learned vector
    for first, second in (views.audio, views.text, views.logits):
        assert not torch.allclose(first[present], second[present])
    tiny.eval()
    views = dual_forward(tiny, batch)
    for first, second in (views.audio, views.text, views.logits):
        assert torch.allclose(first, second, atol=1e-6)


def test_each_term_has_its_switch(tiny, batch):
    tiny.eval()
    plain = Objective(ObjectiveConfig(in_modal=0.0, cross_modal=0.0))(tiny, batch)
    assert set(plain) == {"loss", "ce"}
    assert torch.equal(plain["loss"], plain["ce"])
    full = Objective(ObjectiveConfig(in_modal=0.5, cross_modal=0.25))(tiny, batch)
    expected = full["ce"] + 0.5 * (full["in_audio"] + full["in_text"]) + 0.25 * full["cross"]
    assert full["loss"].item() == pytest.approx(expected.item(), rel=1e-6)


def test_rows_without_a_modality_take_no_part_in_its_terms(tiny, batch):
    tiny.eval()
    objective = Objective(ObjectiveConfig())
    before = objective(tiny, batch)
    frames, ids = batch.frames.clone(), batch.token_ids.clone()
    frames[0], ids[1] = 7.0, 5
    after = objective(tiny, replace(batch, frames=frames, token_ids=ids))
    for name in ("in_audio", "in_text", "cross"):
        assert after[name].item() == pytest.approx(before[name].item(), abs=1e-6)


def test_borrowed_words_take_no_part_in_the_cross_modal_term(tiny, batch):
    tiny.eval()
    objective = Objective(ObjectiveConfig())
    before = objective(tiny, batch)
    frames = batch.frames.clone()
    frames[7] = frames[7].flip(-1)
    after = objective(tiny, replace(batch, frames=frames))
    assert after["cross"].item() == pytest.approx(before["cross"].item(), abs=1e-6)
    assert after["in_audio"].item() != pytest.approx(before["in_audio"].item(), abs=1e-6)


def test_temperature_is_clamped():
    objective = Objective(ObjectiveConfig(min_temperature=0.05, max_temperature=0.2))
    objective.log_scale.data.fill_(50.0)
    assert objective.scale.item() == pytest.approx(20.0, rel=1e-5)
    objective.log_scale.data.fill_(-50.0)
    assert objective.scale.item() == pytest.approx(5.0, rel=1e-5)


def test_one_batch_is_learned_by_heart(tiny, batch):
    torch.manual_seed(0)
    objective = Objective(ObjectiveConfig())
    trained = [*tiny.parameters(), *objective.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=3e-3)
    tiny.train()
    for _ in range(120):
        optimizer.zero_grad()
        terms = objective(tiny, batch)
        terms["loss"].backward()
        optimizer.step()
    tiny.eval()
    views = dual_forward(tiny, batch)
    assert (views.logits[0].argmax(dim=1) == batch.labels).all()
    assert terms["ce"].item() < 0.05
