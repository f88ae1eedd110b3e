import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from safetensors.torch import load_file

from tests.support.paths import ROOT
from tests.training.fitting.resumed_child import TRAIN, train
from training.data.config import DataConfig
from training.data.row import Row
from training.data.sampler import Sampler
from training.fitting.checkpoint import LAST, WEIGHTS, load_state, save_state
from turbo_stream.errors import InputError


def child(folder: Path, *arguments: str) -> int:
    folder.mkdir(exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    script = str(Path(__file__).with_name("resumed_child.py"))
    command = [sys.executable, script, str(folder), *arguments]
    return subprocess.run(command, env=environment, timeout=60).returncode


def same(first: object, second: object) -> bool:
    """Whether two states agree to the last bit, but for the time they took."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        keys = first.keys() - {"seconds"}
        return keys == second.keys() - {"seconds"} and all(same(first[k], second[k]) for k in keys)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    train(whole, None)
    # Two batches a step, a checkpoint every three steps: killed inside steps 8 and 12, after the
    # looks of steps 4 and 8 and the checkpoints of steps 6 and 9.
    assert child(broken, "15") == -signal.SIGKILL
    assert torch.load(broken / LAST, weights_only=True)["history"]["steps"] == 6
    assert child(broken, "11") == -signal.SIGKILL
    ninth = torch.load(broken / LAST, weights_only=True)
    assert ninth["history"]["steps"] == 9
    train(broken, None)
    ended, expected = (torch.load(f / LAST, weights_only=True) for f in (broken, whole))
    assert [look["step"] for look in expected["history"]["looks"]] == [4, 8, 12]
    assert "log_scale" in expected["weights"] and expected["means"] is not None
    assert expected["optimizer"]["state"] and expected["schedule"]["last_epoch"] == 12
    for part in expected:
        assert same(ended[part], expected[part]), part
    best, same_best = (load_file(folder / WEIGHTS) for folder in (whole, broken))
    assert same(best, same_best)
    # The comparison can fail: three steps change every part.
    for part in expected.keys() - {"identity", "best"}:
        assert not same(ninth[part], expected[part]), part


def test_a_finished_run_is_not_run_again(tmp_path):
    config = replace(TRAIN, steps=3, evaluate_every=3)
    first = train(tmp_path, None, config)
    again = train(tmp_path, 0, config)  # would be killed at its first batch
    assert again.looks == first.looks


def test_another_runs_checkpoint_is_refused_in_one_line(tmp_path):
    train(tmp_path, None, replace(TRAIN, steps=3))
    with pytest.raises(InputError) as refused:
        train(tmp_path, None, replace(TRAIN, steps=3, batch=2))
    message = str(refused.value)
    assert "train.batch was 4 and is 2; take another out=DIR, or train.resume=false" in message
    assert "\n" not in message
    anew = replace(TRAIN, steps=3, batch=2, resume=False)
    assert train(tmp_path, None, anew).steps == 3


@pytest.mark.parametrize("cut", [0, 10, 0.5, -1])
def test_a_damaged_checkpoint_is_said_in_one_line(tmp_path, cut):
    save_state(tmp_path, {"seed": 1}, {"a": torch.arange(1000)})
    content = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(content[: int(cut * len(content)) if cut == 0.5 else cut])
    with pytest.raises(InputError, match="is damaged") as refused:
        load_state(tmp_path, {"seed": 1})
    assert "\n" not in str(refused.value) and "train.resume=false" in str(refused.value)


def test_a_state_is_replaced_as_a_whole(tmp_path, monkeypatch):
    save_state(tmp_path, {"seed": 1}, {"a": 1})

    def broken_save(content, path):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(torch, "save", broken_save)
    with pytest.raises(OSError, match="disk full"):
        save_state(tmp_path, {"seed": 1}, {"a": 2})
    assert load_state(tmp_path, {"seed": 1}) == {"a": 1}
    assert load_state(tmp_path / "nothing", {"seed": 1}) is None


class Store:
    def load(self, clip, variant):
        return np.zeros((3 + len(str(clip)) % 5, 2), np.float16)


def sampler() -> Sampler:
    rows = [
        Row(
            audio=None if index % 3 == 0 else Path(f"{'x' * (index % 7)}.wav"),
            label=index % 2,
            text=f"words {index}",
            hypotheses=(),
            collection="a",
            group=str(index),
            names=(),
        )
        for index in range(40)
    ]
    drawn = {"batch": 5, "no_text": 0.2, "no_audio": 0.2}
    return Sampler(rows, Store(), None, DataConfig(), 1, random.Random(3), **drawn)


@pytest.mark.parametrize("given", [0, 1, 3, 4, 9])
def test_the_sampler_goes_on_where_it_stood(given):
    first = sampler()
    batches = first.batches(lambda examples: list(examples))
    for _ in range(given):
        assert len(next(batches)) == 5
    state = first.state()
    expected = [next(batches) for _ in range(6)]
    second = sampler()
    second.rng.random()
    second.restore(state)
    resumed = second.batches(lambda examples: list(examples))
    texts = [[example.text for example in next(resumed)] for _ in range(6)]
    assert texts == [[example.text for example in batch] for batch in expected]
