from dataclasses import asdict

import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the train extra")
pytest.importorskip("sklearn")

from training.crossval import row_scores
from training.crossval.cell import Cell, Journal
from training.crossval.row_scores import (
    RowScores,
    load_rows,
    resampled_accuracy,
    save_rows,
    scores_path,
)
from training.crossval.statistics import bootstrap_interval
from training.crossval.table import build_table
from training.fitting.metrics import equal_error_rate


def made_rows(rng, *, speakers: int, shift: float, each: int = 8) -> RowScores:
    """Rows of speakers, each of one class and with a bias of its own."""
    owner = np.repeat(np.arange(speakers), each)
    hits = owner % 2 == 0
    bias = rng.normal(0.0, 1.0, speakers)[owner]
    scores = np.where(hits, shift, -shift) + bias + rng.normal(0.0, 1.0, len(owner))
    return RowScores(scores.astype(np.float32), hits, owner.astype(str))


def test_rows_drawn_by_their_times_err_as_the_same_rows_repeated():
    rng = np.random.default_rng(0)
    rows = made_rows(rng, speakers=12, shift=0.5)
    rows = rows._replace(scores=np.round(rows.scores))  # with ties
    times = rng.integers(0, 3, size=(40, len(rows.hits)))
    found = row_scores._equal_errors(rows, times)
    for counts, error in zip(times, found, strict=True):
        index = np.repeat(np.arange(len(counts)), counts)
        assert error == pytest.approx(equal_error_rate(rows.hits[index], rows.scores[index]))


def test_two_arms_are_drawn_alike_and_what_is_kept_comes_back(tmp_path):
    rows = made_rows(np.random.default_rng(1), speakers=9, shift=0.4)
    better = rows._replace(scores=rows.scores + np.where(rows.hits, 50.0, 0.0).astype(np.float32))
    assert (resampled_accuracy(better, seed=3) == 1.0).all()
    first = resampled_accuracy(rows, seed=3)
    assert np.array_equal(first, resampled_accuracy(rows, seed=3))
    assert first.std() > 0.01
    path = scores_path(tmp_path / "scores", Cell("ce", 0, 1, 0, "auto"))
    assert load_rows(path) is None
    save_rows(path, rows)
    for kept, given in zip(load_rows(path), rows, strict=True):
        assert np.array_equal(kept, given)


def moved(rng, rows: RowScores, shift: float) -> RowScores:
    """Another arm's scores of `rows`: its classes are further apart by twice `shift`."""
    noise = rng.normal(0.0, 0.3, len(rows.hits)) + np.where(rows.hits, shift, -shift)
    return rows._replace(scores=(rows.scores + noise).astype(np.float32))


def accuracy(rows: RowScores) -> float:
    return 1.0 - equal_error_rate(rows.hits, rows.scores)


def write_trial(folder, *, shift: float, speakers: int, seed: int):
    """Two arms of three folds and two seeds; `turbo` is apart by `shift` more than `ce`."""
    rng = np.random.default_rng(seed)
    journal = Journal(folder / "runs.jsonl")
    cells = []
    for fold in range(2):
        for run in range(2):
            rows = made_rows(rng, speakers=speakers, shift=0.6)
            for arm, said in (("ce", rows), ("turbo", moved(rng, rows, shift))):
                cell = Cell(arm, fold, run, 0, "auto")
                save_rows(scores_path(folder / "scores", cell), said)
                test = {"fused": {"equal_error_accuracy": accuracy(said)}}
                extra = {"steps": 1, "seconds": 1.0, "best_step": 1, "last_look": {}}
                journal.add(asdict(cell), {"test": test, **extra})
                cells.append(cell)
    return journal, cells


def table_of(folder, journal, cells):
    return build_table(journal, cells, "equal_error_accuracy", ("ce", "turbo"), folder / "scores")


def test_the_interval_covers_a_known_difference_and_tells_it_from_none(monkeypatch):
    monkeypatch.setattr(row_scores, "RESAMPLINGS", 100)
    shift = 0.4  # in scores; what it is in 1 - EER many speakers tell
    rows = made_rows(np.random.default_rng(99), speakers=4000, shift=0.6)
    apart = moved(np.random.default_rng(98), rows, shift)
    known = accuracy(apart) - accuracy(rows)
    assert 0.05 < known < 0.12
    covered = above = holds_none = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truly, not_at_all = [], []
        for fold in range(6):
            rows = made_rows(rng, speakers=40, shift=0.6)
            plain = resampled_accuracy(rows, seed=fold)
            arms = ([moved(rng, rows, by) for _ in range(3)] for by in (shift, 0.0))
            for found, seeds in zip((truly, not_at_all), arms, strict=True):
                runs = [resampled_accuracy(arm, seed=fold) - plain for arm in seeds]
                found.append(np.stack(runs, axis=1))
        low, high = bootstrap_interval(truly)
        covered += low <= known <= high
        above += low > 0.0
        low, high = bootstrap_interval(not_at_all)
        holds_none += low <= 0.0 <= high
    assert covered >= 16
    assert holds_none >= 16
    assert above >= 16


def test_speakers_widen_the_interval_that_folds_and_seeds_alone_give(tmp_path):
    steady = [np.full(4, 0.02)] * 6
    alone = bootstrap_interval(steady)
    assert alone == pytest.approx([0.02, 0.02])
    drawn = np.random.default_rng(0).normal(0.02, 0.05, size=(500, 1))
    low, high = bootstrap_interval([np.repeat(drawn, 4, axis=1)] * 6)
    # One drawing of the speakers serves all seeds, and six folds average it: 0.05 / sqrt(6).
    assert low == pytest.approx(0.02 - 1.96 * 0.05 / 6**0.5, abs=0.006)
    assert high == pytest.approx(0.02 + 1.96 * 0.05 / 6**0.5, abs=0.006)


def test_without_the_rows_there_is_no_interval_of_speakers(tmp_path):
    journal, cells = write_trial(tmp_path, shift=0.2, speakers=10, seed=0)
    found = table_of(tmp_path, journal, cells)["difference"]["turbo-ce"]
    low, high = found["ci95_speakers"]
    assert low < found["mean"] < high
    scores_path(tmp_path / "scores", cells[0]).unlink()
    found = table_of(tmp_path, journal, cells)["difference"]["turbo-ce"]
    assert found["ci95_speakers"] is None and found["ci95"]


def test_a_seed_that_is_not_planned_is_not_in_the_table(tmp_path):
    journal, cells = write_trial(tmp_path, shift=0.4, speakers=20, seed=1)
    first = [cell for cell in cells if cell.seed == 0]
    table = table_of(tmp_path, journal, first)
    assert table["seeds"] == [0] and not [cell for cell in table["not_run"] if "seed" in cell]
    runs = table["arms"]["turbo"]["runs"]
    assert [(run["fold"], run["seed"]) for run in runs] == [(0, 0), (1, 0)]
    alone = table_of(tmp_path, journal, cells)
    assert alone["seeds"] == [0, 1] and len(alone["arms"]["turbo"]["runs"]) == 4
    found, whole = (one["difference"]["turbo-ce"]["mean"] for one in (table, alone))
    assert found != whole
