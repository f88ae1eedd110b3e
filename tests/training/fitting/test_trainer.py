import math
from dataclasses import replace
from itertools import repeat

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
from safetensors.torch import load_file

from training.fitting.checkpoint import WEIGHTS
from training.fitting.config import TrainConfig
from training.fitting.distributed import Rank
from training.fitting.environment import describe
from training.fitting.trainer import _Run, fit, share_of_peak
from training.objective.config import ARMS, ObjectiveConfig, select_arm
from training.objective.grad_cache import Gradients
from training.objective.part_gradients import part_gradients
from turbo_stream.errors import InputError

TRAIN = TrainConfig(steps=6, warmup=1, evaluate_every=2, head_rate=1e-2, tensorboard=False)


def run(model, batch, folder, train=TRAIN, objective=None, dev=None):
    worth = iter(dev or [0.5, 0.4, 0.3, 0.2, 0.1])
    seen = []

    def evaluate() -> dict[str, float]:
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"dev": next(worth)}

    history = fit(
        model, objective or ObjectiveConfig(), repeat(batch), evaluate, train, folder, quiet=True
    )
    return history, seen


def test_the_best_weights_are_kept_and_written(tiny, batch, tmp_path):
    history, seen = run(tiny, batch, tmp_path, dev=[0.5, 0.2, 0.3])
    assert (history.best_step, history.best, history.steps) == (4, 0.2, 6)
    weight = "fusion.classifier.1.weight"
    written = load_file(tmp_path / WEIGHTS)
    assert torch.equal(tiny.state_dict()[weight], seen[1][weight])
    assert torch.equal(written[weight], seen[1][weight])
    assert not torch.equal(seen[2][weight], seen[1][weight])
    assert set(written) == set(tiny.state_dict())
    for name, value in seen[2].items():
        if name.startswith("audio_front."):
            assert torch.equal(value, written[name])


def test_a_run_stops_when_it_gets_no_better(tiny, batch):
    history, _ = run(tiny, batch, None, replace(TRAIN, steps=50, patience=2), dev=[0.3, 0.4, 0.3])
    assert (history.steps, history.best_step) == (6, 2)
    assert [look["step"] for look in history.looks] == [2, 4, 6]


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_trains_and_reports_the_shape_of_its_space(arm, tiny, batch):
    before = tiny.text_projection.layers[0].weight.clone()
    objective = select_arm(ObjectiveConfig(), arm)
    history, _ = run(tiny, batch, None, replace(TRAIN, steps=2), objective)
    look = history.looks[0]
    assert {"loss", "ce", "gradient_norm", "temperature", "dev"} <= set(look)
    assert {"alignment_audio", "alignment_text", "alignment_cross"} <= set(look)
    assert look["uniformity_audio"] < 0 and look["uniformity_text"] < 0
    assert torch.equal(tiny.text_projection.layers[0].weight, before) != objective.contrastive


def gradients_of_a_step(model, batch, objective):
    """The gradients that a step goes by, and what it reports."""
    torch.manual_seed(0)
    step = _Run(model, objective, TRAIN, Rank(0, 1, torch.device("cpu")))
    step.views_model.train()
    gradients = Gradients(step.views_model, objective)
    report = part_gradients(gradients, [batch], step.parameters, TRAIN.clip)
    named = step.views_model.named_parameters()
    return {name: value.grad for name, value in named if value.grad is not None}, report


def test_a_large_contrastive_weight_takes_nothing_from_the_classes(tiny, batch):
    """Each part is clipped on its own: the other's length is nothing to it."""
    alone = select_arm(ObjectiveConfig(), "ce_2view")
    heavy = select_arm(ObjectiveConfig(cross_modal=1000.0), "cross_modal")
    plain, _ = gradients_of_a_step(tiny, batch, alone)
    both, report = gradients_of_a_step(tiny, batch, heavy)
    assert report["gradient_norm_contrast"] > 100 * TRAIN.clip
    for name, value in plain.items():
        if "fusion" in name:
            assert torch.allclose(both[name], value, atol=1e-6), name
    rest = {name: both[name] - plain.get(name, 0.0) for name in both}
    length = torch.stack([value.norm() for value in rest.values()]).norm().item()
    assert length == pytest.approx(TRAIN.clip, rel=1e-3)
    assert report["loss"].item() == pytest.approx(
        report["ce"].item() + 1000 * report["cross"].item(), rel=1e-5
    )


def test_the_temperature_moves_and_stays_within_its_bounds(tiny, batch):
    objective = ObjectiveConfig(min_temperature=0.06)
    train = TrainConfig(steps=60, warmup=5, evaluate_every=20, tensorboard=False)
    history, _ = run(tiny, batch, None, train, objective)
    moved = [look["temperature"] for look in history.looks]
    assert max(abs(math.log(value / objective.temperature)) for value in moved) > 0.15
    assert all(0.0599 < value < 0.5001 for value in moved)


def test_looking_changes_nothing(tiny, batch):
    start = {name: value.clone() for name, value in tiny.state_dict().items()}
    ends = []
    for every in (2, 6):
        tiny.load_state_dict(start)
        torch.manual_seed(0)
        train = replace(TRAIN, evaluate_every=every)
        run(tiny, batch, None, train, dev=[0.5, 0.4, 0.3])
        ends.append(tiny.state_dict()["fusion.classifier.1.weight"].clone())
    assert torch.equal(*ends)


def test_curves_for_tensorboard(tiny, batch, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run(tiny, batch, tmp_path, replace(TRAIN, steps=20, evaluate_every=10, tensorboard=True))
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    tags = set(events.Tags()["scalars"])
    assert {"train/loss", "train/in_audio", "train/cross", "train/gradient_norm"} <= tags
    assert {"rate/text", "rate/audio", "rate/head"} <= tags
    assert {"look/dev", "look/temperature", "look/alignment_audio"} <= tags
    assert [point.step for point in events.Scalars("train/loss")] == [10, 20]


@pytest.mark.parametrize("field", ["batch", "steps", "accumulate", "chunk"])
def test_what_cannot_be_is_named(field, tiny, batch):
    with pytest.raises(InputError, match=rf"train\.{field}=-1: at least"):
        run(tiny, batch, None, replace(TRAIN, **{field: -1}))


def test_compiling_and_caching_are_refused_together(tiny, batch):
    with pytest.raises(InputError, match=r"train\.compile=true with train\.chunk"):
        run(tiny, batch, None, replace(TRAIN, compile=True, chunk=2))


def test_rates_rise_and_fall():
    train = TrainConfig(steps=100, warmup=10)
    shares = [share_of_peak(step, train) for step in range(101)]
    assert shares[0] == pytest.approx(0.1) and shares[9] == 1.0
    assert shares[10] == pytest.approx(1.0) and shares[55] == pytest.approx(0.5)
    assert shares[100] == pytest.approx(0.0)


def test_the_environment_says_what_a_figure_depends_on():
    found = describe()
    assert found["packages"]["torch"] == torch.__version__.split("+")[0] or "+" in torch.__version__
    assert found["cores"] >= 1 and found["cpu"]
    assert found["commit"] is None or len(found["commit"]) == 40
    assert "hostname" not in found
