from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from training.objective.config import ARMS, ObjectiveConfig, select_arm
from training.objective.objective import Targets, ViewsModel, objective_terms

TERMS = {
    "ce": {"ce"},
    "ce_slow": {"ce"},
    "ce_words": {"ce"},
    "ce_2view": {"ce"},
    "in_modal": {"ce", "in_audio", "in_text"},
    "cross_modal": {"ce", "cross"},
    "turbo": {"ce", "in_audio", "in_text", "cross"},
    "r_drop": {"ce", "r_drop"},
    "sup_con": {"ce", "sup_audio", "sup_text"},
    "cross_shuffled": {"ce", "cross"},
}


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_has_its_terms_and_no_other(arm, tiny, batch):
    config = select_arm(ObjectiveConfig(r_drop=3.0, sup_con=2.0), arm)
    views = ViewsModel(tiny, config)(batch)
    assert views.logits.shape[0] == (1 if arm in ("ce", "ce_slow", "ce_words") else 2)
    terms = objective_terms(views, Targets.of(batch), config)
    assert set(terms) == {"loss", *TERMS[arm]}
    # Every term counts: no weight is 0.
    rest = sum(value for name, value in terms.items() if name not in ("loss", "ce"))
    assert (terms["loss"] > terms["ce"]) == bool(rest)


def test_a_tuned_weight_stays_and_a_missing_one_gets_its_default():
    config = ObjectiveConfig(in_modal=0.4, cross_modal=0.0, temperature=0.1)
    turbo = select_arm(config, "turbo")
    assert (turbo.in_modal, turbo.cross_modal, turbo.temperature) == (0.4, 0.1, 0.1)
    assert select_arm(config, "r_drop") == replace(config, in_modal=0.0, r_drop=1.0)
    assert select_arm(select_arm(config, "ce"), "ce_2view").views == 2


def test_the_control_contrasts_every_sound_with_the_words_of_another_row(tiny, batch):
    tiny.eval()
    true, control = (
        select_arm(ObjectiveConfig(), arm) for arm in ("cross_modal", "cross_shuffled")
    )
    views = ViewsModel(tiny, true)(batch)
    same = views._replace(audio=views.text)  # pairs that agree perfectly
    targets = Targets.of(batch)
    assert objective_terms(same, targets, control)["cross"] > 2.0
    assert objective_terms(same, targets, true)["cross"] < 1.0


def test_an_unknown_arm_is_named():
    with pytest.raises(ValueError, match=r"arm nothing: unknown; allowed: ce, ce_slow"):
        select_arm(ObjectiveConfig(), "nothing")
