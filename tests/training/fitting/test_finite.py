"""A number that is NaN or infinite stops a training at once, and nothing good is lost."""

import json
from dataclasses import replace
from itertools import chain, repeat

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
from safetensors.torch import load_file, save_file

from tests.training.end_of_turn.test_end_of_turn import heard
from training.crossval import execute
from training.distillation import text_student
from training.end_of_turn.turn_head import HeadConfig, fit_head, head_logits
from training.fitting import runs
from training.fitting.checkpoint import WEIGHTS, load_model, save_weights
from training.fitting.config import TrainConfig
from training.fitting.finite import NotFiniteError, check_finite
from training.fitting.metrics import Affine
from training.fitting.recipe import build_recipe
from training.fitting.trainer import fit
from training.folds.split import Split
from training.objective.config import ObjectiveConfig
from turbo_stream.errors import InputError

NAN, INF = float("nan"), float("inf")
TRAIN = TrainConfig(steps=6, warmup=1, evaluate_every=2, head_rate=1e-2, tensorboard=False)


def spoilt(batch, value):
    """Return `batch` with one number of its sound that is none."""
    frames = batch.frames.clone()
    frames[0, 0, 0] = value
    return replace(batch, frames=frames)


def run(model, batches, folder, *, train=TRAIN, dev=0.5):
    return fit(
        model, ObjectiveConfig(), iter(batches), lambda: {"dev": dev}, train, folder, quiet=True
    )


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("chunk", [0, 4])
def test_a_loss_stops_the_run_at_its_step(value, chunk, tiny, batch, tmp_path):
    (tmp_path / WEIGHTS).write_bytes(b"good")
    batches = chain([batch, batch], repeat(spoilt(batch, value)))
    with pytest.raises(NotFiniteError, match=r"stopped at step 3: .*loss.* not finite") as error:
        run(tiny, batches, tmp_path, train=replace(TRAIN, chunk=chunk))
    assert error.value.exit_code == 1 and "\n" not in str(error.value)
    assert (tmp_path / WEIGHTS).read_bytes() == b"good"
    assert all(value.isfinite().all() for value in tiny.state_dict().values())


def test_a_gradient_stops_the_run(tiny, batch, tmp_path):
    with pytest.raises(NotFiniteError, match=r"step \d: .*gradient_norm"):
        run(tiny, repeat(batch), tmp_path, train=replace(TRAIN, head_rate=1e30))
    assert not (tmp_path / WEIGHTS).exists()


@pytest.mark.parametrize("dev", [NAN, INF])
def test_a_look_is_no_look_without_a_figure(dev, tiny, batch, tmp_path):
    with pytest.raises(NotFiniteError, match="the look after step 2: dev is not finite"):
        run(tiny, repeat(batch), tmp_path, dev=dev)
    assert not (tmp_path / WEIGHTS).exists()


def test_the_last_step_is_looked_at_too(tiny, batch, tmp_path):
    train = replace(TRAIN, steps=1, head_rate=INF)
    with pytest.raises(NotFiniteError, match="the look after step 1: .*are not finite"):
        run(tiny, repeat(batch), tmp_path, train=train)
    assert not (tmp_path / WEIGHTS).exists()


def test_weights_of_nan_are_no_run(tiny, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model": vars(tiny.config)}))
    save_weights(tmp_path, tiny)
    weights = load_file(tmp_path / WEIGHTS)
    weights["fusion.classifier.1.weight"][0, 0] = NAN
    save_file(weights, tmp_path / WEIGHTS)
    with pytest.raises(InputError, match=r"fusion.classifier.1.weight is not finite"):
        load_model(tmp_path)


def test_an_end_of_turn_head_is_not_made_of_nan():
    pauses = heard(60, 0)
    pauses[7].windows[:] = np.inf
    config = HeadConfig(hidden=8, steps=20)
    with pytest.raises(NotFiniteError, match="step 1 of the head: loss"):
        fit_head(pauses, 4, config)
    head = fit_head(heard(60, 0), 4, config)
    pauses[7].windows[:] = np.nan
    with pytest.raises(NotFiniteError, match="a score is not finite"):
        head_logits(head, pauses)


def test_a_run_of_many_is_named(monkeypatch):
    def broken(*_, **__):
        raise NotFiniteError("stopped at step 3: loss is not finite")

    class Bench:
        rows, recipe = (), build_recipe("rej", [])

        def for_fold(self, _):
            return self

    monkeypatch.setattr(execute, "split_rows", lambda *_: Split([], [], []))
    monkeypatch.setattr(execute, "fit_model", broken)
    job = execute.Job("turbo, fold 2", build_recipe("rej", []), folder=None, test=False)
    with pytest.raises(NotFiniteError, match="turbo, fold 2: stopped at step 3"):
        execute.run_job(Bench(), job)


def test_a_calibration_of_nan_is_none(monkeypatch):
    class Bench:
        recipe = build_recipe("rej", [])

        def scorer(self, _):
            return lambda _, rows, **__: {"fused": np.zeros((len(rows), 2))}

    class Row:
        label = 0

    monkeypatch.setattr(runs, "fit_affine", lambda *_: Affine(NAN, (0.0, 0.0)))
    with pytest.raises(NotFiniteError, match="scale is not finite"):
        runs._final_figures(Bench(), None, [Row(), Row()])


def test_a_distilled_tower_is_not_made_of_nan(monkeypatch, tmp_path):
    class Student(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.text_tower = torch.nn.Linear(1, 1)

    class Distillation(torch.nn.Module):
        def __init__(self, student, *_):
            super().__init__()
            self.tower, self.into, self.calls = student.text_tower, torch.nn.Linear(1, 1), 0

        def measure(self, _):
            return 1.0

        def forward(self, _):
            self.calls += 1
            value = self.into(self.tower(torch.ones(1))).sum()
            return value * NAN if self.calls == 3 else value

    monkeypatch.setattr(text_student, "start_model", lambda config, _: (config, Student(), None))
    monkeypatch.setattr(text_student, "Distillation", Distillation)
    course = {"steps": 5, "batch": 2, "rate": 1e-3, "seed": 0}
    with pytest.raises(NotFiniteError, match="step 3: loss, gradient_norm are not finite"):
        text_student.distill(text_student.TurboConfig(), ["a", "b", "c"], tmp_path / "o", **course)
    assert not (tmp_path / "o").exists()


def test_what_is_not_finite_is_named():
    check_finite({"a": torch.ones(3), "b": 1.0, "c": np.zeros(2)})
    with pytest.raises(NotFiniteError, match="^a, c are not finite$"):
        check_finite({"a": torch.tensor([1.0, NAN]), "b": 0.0, "c": np.array([INF])})
