import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the train extra")

from tests.support.tiny_network import TINY
from tools.measurements.training_step import measure, shapes
from tools.measurements.training_step.__main__ import main
from tools.measurements.training_step.steps import STEPS, make_steps

CPU = torch.device("cpu")


@pytest.fixture
def small(monkeypatch) -> None:
    """The tiny network in place of every shape, and a small product in place of a large one."""
    for name, shape in shapes.ON_CPU.items():
        tiny = replace(shape, config=TINY, rows=4, seconds=0.5)
        monkeypatch.setitem(shapes.ON_CPU, name, tiny)
    monkeypatch.setattr(measure, "matrix_rate", lambda device, dtype: 1e12)


def test_matrix_work_is_counted():
    linear = torch.nn.Linear(8, 16, bias=False)
    x = torch.randn(5, 8, requires_grad=True)
    forward = 2 * 5 * 8 * 16
    assert measure.matrix_flops(lambda: linear(x)) == forward
    assert measure.matrix_flops(lambda: linear(x).sum().backward()) == 3 * forward
    grouped = torch.nn.Conv1d(8, 12, 3, groups=4, bias=False)
    wave = torch.randn(2, 8, 10, requires_grad=True)
    forward = 2 * 2 * 8 * 12 * (8 // 4) * 3
    assert measure.matrix_flops(lambda: grouped(wave)) == forward
    assert measure.matrix_flops(lambda: grouped(wave).sum().backward()) == 3 * forward


def test_a_step_costs_a_pass_for_each_view_and_part_and_the_naive_way_the_front_again():
    shape = replace(shapes.ON_CPU["compact"], config=TINY, rows=4, seconds=0.5)
    model, material = shapes.make(shape, CPU)
    _, passes = make_steps(model, material, bf16=False)
    flops = {name: measure.matrix_flops(step) for name, step in passes.items()}
    assert set(flops) == set(STEPS)
    front = flops["ce_waves"] - flops["ce"]
    assert front > 0
    assert flops["turbo_waves"] == flops["turbo"] + front
    assert flops["naive"] == flops["turbo"] + 2 * front
    # Two views, and for them a pass for the classes and one for what is contrasted.
    assert 3.6 < flops["turbo"] / flops["ce"] < 4.4


def test_chunks_hold_less_and_linearly():
    small, large = measure.loss_memory((64, 256), 32, CPU)
    assert large["whole_mib"] > 8 * small["whole_mib"]
    assert large["chunked_mib"] < 5 * small["chunked_mib"]


def test_rounds_are_interleaved_and_compared_in_pairs():
    order = []
    works = {name: lambda name=name: order.append(name) for name in "abc"}
    times = measure.interleaved(works, CPU, rounds=2)
    assert "".join(order) == "abc" + "abc" + "bca"
    assert {name: len(found) for name, found in times.items()} == {"a": 2, "b": 2, "c": 2}
    assert measure.ratio({"a": [2.0, 9.0, 8.0], "b": [1.0, 3.0, 4.0]}, "a", "b") == 2.0


@pytest.mark.slow
def test_the_command_prints_json_and_tables(small):
    result = CliRunner().invoke(main, ["--device", "cpu", "--rounds", "1", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert "small shapes" in found["device"]
    assert [shape["shape"] for shape in found["shapes"]] == ["compact", "shipped", "hubert-bert"]
    for shape in found["shapes"]:
        assert shape["ratios"]["turbo/ce"] > 0
        assert all(step["utterances_per_s"] > 0 for step in shape["steps"].values())
    shown = CliRunner().invoke(main, ["--device", "cpu", "--rounds", "1", "--shapes", "compact"])
    assert "utterances/s" in shown.stdout and "turbo/ce" in shown.stdout
    wrong = CliRunner().invoke(main, ["--shapes", "nothing"])
    assert wrong.exit_code == 2 and "allowed: compact" in wrong.output


@pytest.mark.slow
def test_the_large_shape_is_hubert_and_bert():
    pytest.importorskip("transformers")
    shape = replace(shapes.ON_CPU["hubert-bert"], rows=2, seconds=0.5)
    model, material = shapes.make(shape, CPU)
    assert material.batch.frames.shape[2] == 512
    two_layers = 14_000_000
    for tower in (model.audio_tower, model.text_tower):
        assert sum(p.numel() for p in tower.parameters()) > two_layers
