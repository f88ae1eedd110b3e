"""Runs that differ in their seed alone, side by side; others are refused."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.crossval.pair_scores import PAIRS_FILE, SCORES, PairScores, margin_key
from training.crossval.seeds import MODES, compared, main
from turbo_stream.cli.command import run_command

PAIR = "calls × talk"


def said(errors: int, people: int = 20, each: int = 5) -> PairScores:
    """Return scores of which `errors` of a class lie on the side of the other, in every mode."""
    truths = np.arange(people * each) % 2 == 0
    groups = np.repeat([f"p{n}" for n in range(people)], each)
    margins = np.where(truths, 1.0, -1.0)
    for truth in (True, False):
        margins[np.flatnonzero(truths == truth)[:errors]] *= -1
    return PairScores(truths, groups, dict.fromkeys(MODES, margins))


def write(folder: Path, seed: int, scores: PairScores, **changes) -> Path:
    run = folder / "without_calls_talk"
    run.mkdir(parents=True)
    config = {"seed": seed, "out": str(folder), "train": {"steps": 160, "batch": 48}}
    (run / "config.json").write_text(json.dumps({**config, **changes}))
    pairs = [{"directed": "calls", "not_directed": "talk"}]
    (folder / PAIRS_FILE).write_text(json.dumps({"pairs": pairs}))
    margins = {margin_key(mode): values for mode, values in scores.margins.items()}
    np.savez(run / SCORES, truths=scores.truths, groups=scores.groups, **margins)
    return folder


def test_the_mean_is_of_the_seeds_and_the_interval_of_seeds_and_speakers() -> None:
    alike = compared([said(5), said(5)], draws=300)["fused"]
    assert alike["eer"] == pytest.approx(0.1) and alike["eer_by_seed"] == pytest.approx([0.1, 0.1])
    apart = compared([said(0), said(10)], draws=300)
    fused = apart["fused"]
    assert fused["eer"] == pytest.approx(0.1) and fused["eer_by_seed"] == pytest.approx([0, 0.2])
    low, high = fused["eer_ci95"]
    assert low == 0.0 and high > alike["eer_ci95"][1]  # two seeds far apart: less is known
    assert apart["over_better"] == pytest.approx(0.0)
    assert (apart["n"], apart["n_directed"]) == (100, 50)


def test_the_command_writes_figures_and_a_picture(tmp_path: Path) -> None:
    folders = [write(tmp_path / str(seed), seed, said(seed)) for seed in range(3)]
    arguments = [*map(str, folders), "--out", str(tmp_path / "out"), "--draws", "20"]
    assert run_command(main, [*arguments, "--how", "three seeds"]) == 0
    found = json.loads((tmp_path / "out" / "seeds.json").read_text())
    assert (found["how"], found["seeds"]) == ("three seeds", 3)
    assert found["pairs"][PAIR]["text"]["eer_by_seed"] == pytest.approx([0, 0.02, 0.04])
    picture = (tmp_path / "out" / "seeds.png").read_bytes()
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "second, told",
    [
        ({"seed": 0}, "the seeds are [0, 0]"),
        ({"train": {"steps": 160, "batch": 64}}, "in train.batch;"),
        ({"model": {"text_layers": 3}}, "in model.text_layers;"),
    ],
)
def test_runs_that_differ_in_more_than_their_seed_are_refused(
    tmp_path: Path, capsys, second: dict, told: str
) -> None:
    one = write(tmp_path / "a", 0, said(1))
    other = write(tmp_path / "b", **{"seed": 1, "scores": said(1), **second})
    assert run_command(main, [str(one), str(other), "--out", str(tmp_path / "out")]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_compared_is_told_in_a_line(tmp_path: Path, capsys) -> None:
    one = write(tmp_path / "a", 0, said(1))
    more = write(tmp_path / "b", 1, said(1, people=21))
    old = write(tmp_path / "c", 2, said(1))
    np.savez(old / "without_calls_talk" / SCORES, logits=np.zeros((1, 2)), labels=np.zeros(1))
    told_otherwise = said(1)
    relabelled = write(tmp_path / "d", 3, told_otherwise._replace(truths=~told_otherwise.truths))
    other = write(tmp_path / "e", 4, said(1))
    pairs = [{"directed": "calls", "not_directed": "film"}]
    (other / PAIRS_FILE).write_text(json.dumps({"pairs": pairs}))
    bare = write(tmp_path / "f", 5, said(1))
    (bare / "without_calls_talk" / "config.json").unlink()
    (tmp_path / "empty").mkdir()
    out = ["--out", str(tmp_path / "out")]
    for folders, told in (
        ([one, more], "scored other recordings"),
        ([one, old], "run training.crossval.pairs again"),
        ([one, relabelled], "scored other recordings"),
        ([one, other], "has other pairs than"),
        ([one, bare], "holds no run"),
        ([tmp_path / "empty", one], "does not name the pairs"),
        ([one], "one seed has no mean"),
    ):
        assert run_command(main, [*map(str, folders), *out]) == 2
        assert told in capsys.readouterr().err
