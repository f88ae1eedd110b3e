import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the train extra")

from training.crossval.calibration import Pair, calibrate, main, read_pairs
from training.crossval.pair_scores import PAIRS_FILE, SCORES, pairs_of
from turbo_stream.errors import InputError


def pair(name: str, *, too_sure: float, seed: int) -> Pair:
    """Return 600 items whose logits are `too_sure` times what they should be."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(0.0, 2.0, 600)
    labels = (rng.random(600) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    return Pair(name, np.stack([np.zeros(600), too_sure * odds], axis=1), labels)


def test_a_pair_is_judged_by_the_calibration_of_the_others() -> None:
    alike = [pair(name, too_sure=4.0, seed=at) for at, name in enumerate("abc")]
    found = calibrate(alike, 1)["calibration"]
    assert 0.2 < found["scale"] < 0.32, "the logits are four times too large"
    assert found["ece"] < 0.05
    odd = calibrate([*alike, pair("odd", too_sure=0.5, seed=9)], 1)["calibration"]["ece_by_pair"]
    assert odd["odd"] > 0.1, "its own scores would make it right"
    assert odd["a"] < 0.08


def write_pairs(folder: Path, *names: str, seed: int = 0) -> Path:
    for at, name in enumerate(names, seed):
        (folder / f"without_{name}").mkdir(parents=True)
        one = pair(name, too_sure=2.0, seed=at)
        np.savez(folder / f"without_{name}" / SCORES, logits=one.logits, labels=one.labels)
    pairs = [
        dict(zip(("directed", "not_directed"), name.split("_"), strict=True)) for name in names
    ]
    (folder / PAIRS_FILE).write_text(json.dumps({"pairs": pairs}))
    return folder


def test_a_run_gets_calibration_and_thresholds(tmp_path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text('{"model": {"labels": ["not_directed", "directed"]}}')
    (run / "metrics.json").write_text('{"data": [], "calibration": {"scale": 1.0}}')
    write_pairs(tmp_path / "pairs", "a_b", "c_d")
    done = CliRunner().invoke(main, [str(tmp_path / "pairs"), str(run)], catch_exceptions=False)
    assert done.exit_code == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["data"] == []
    assert metrics["calibration"]["pairs"] == ["a_b", "c_d"]
    assert metrics["calibration"]["collections"] == ["a", "b", "c", "d"]
    points = metrics["operating_points"]
    assert points["fr1"]["threshold"] < points["balanced"]["threshold"] < points["fa1"]["threshold"]


def test_one_pair_calibrates_nothing(tmp_path) -> None:
    with pytest.raises(InputError, match="0 pairs"):
        read_pairs([tmp_path])


@pytest.mark.parametrize("content", ["{}", "[]", '{"pairs": [{"directed": "a"}]}', "no"])
def test_a_folder_that_does_not_name_its_pairs_is_told(tmp_path, content) -> None:
    with pytest.raises(InputError, match=r"pairs\.json does not name the pairs"):
        pairs_of(tmp_path)
    (tmp_path / PAIRS_FILE).write_text(content)
    with pytest.raises(InputError, match=r"give the out=DIR of training\.crossval\.pairs"):
        pairs_of(tmp_path)


def test_what_several_seeds_said_of_a_pair_is_one_pair(tmp_path) -> None:
    one = write_pairs(tmp_path / "0", "a_b", "c_d")
    other = write_pairs(tmp_path / "1", "a_b", "c_d", seed=5)
    alone, both = read_pairs([one]), read_pairs([one, other])
    assert [pair.name for pair in both] == [pair.name for pair in alone] == ["a_b", "c_d"]
    for first, pooled in zip(alone, both, strict=True):
        assert len(pooled.labels) == 2 * len(first.labels)
        assert np.array_equal(pooled.logits[: len(first.logits)], first.logits)
    with pytest.raises(InputError, match="has the pairs a_b, e_f, .* has a_b, c_d; give runs of"):
        read_pairs([one, write_pairs(tmp_path / "2", "a_b", "e_f")])
