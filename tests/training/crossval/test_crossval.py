import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("soundfile")

from models.turbo import Turbo
from tests.support.tiny_corpus import write_classes, write_start
from tests.support.tiny_network import TINY
from training.crossval.__main__ import main
from training.crossval.cell import Cell, Journal, Trial, cell_recipe, plan, trials
from training.crossval.execute import Job, run_job, run_jobs
from training.crossval.setup import check_setup, describe
from training.crossval.tuning import read_tuning, tune
from training.fitting.recipe import build_recipe
from training.fitting.workbench import prepare
from training.folds.fold_file import read_folds
from training.folds.split import split_rows
from training.objective.config import ARMS
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

LABELS = ["high", "low", "middle"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three classes, six speakers, two folds, and a frozen network to start from."""
    folder = tmp_path_factory.mktemp("corpus")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = replace(TINY, labels=tuple(LABELS), audio_frozen=True, text_frozen=True, body_heads=2)
    write_start(folder / "start", Turbo(config))
    write_classes(folder, LABELS, speakers=6, each=2)
    tests = [{"test": ["s0", "s1"]}, {"test": ["s2", "s3"]}]
    content = {"name": "two", "column": "speaker", "folds": tests, "dev": {"share": 0.2}}
    (folder / "folds.json").write_text(json.dumps(content))
    return folder


def assignments(corpus, out, *more):
    settings = {
        "out": out,
        "init": corpus / "start",
        "data.manifest": corpus / "manifest.jsonl",
        "data.folds": corpus / "folds.json",
        "data.features": corpus / "features",
        "train.steps": 3,
        "train.batch": 6,
        "train.evaluate_every": 2,
        "train.warmup": 1,
        "device": "cpu",
    }
    return [*(f"{key}={value}" for key, value in settings.items()), *more]


def crossval(corpus, out, *options):
    """Run it; its table stands in `out` unless another place is named."""
    call = ["classify", *assignments(corpus, out), *options]
    status = run_command(main, call)
    path = out / "results" / "table.json"
    return status, json.loads(path.read_text()) if path.exists() else None


@pytest.mark.slow
def test_a_table_says_what_was_run_and_goes_on_where_it_stopped(corpus, tmp_path, capsys):
    options = ["--arms", "ce,ce_2view,turbo", "--sizes", "6", "--curve-arms", "ce,turbo"]
    status, table = crossval(corpus, tmp_path, *options, "--seeds", "1")
    assert status == 0, capsys.readouterr().err
    journal = tmp_path / "runs.jsonl"
    assert len(journal.read_text().splitlines()) == 2 * (3 + 2)
    assert table["recipe"] == "classify"
    assert table["metric"] == "balanced_accuracy"
    assert (table["folds"], table["seeds"]) == ([0, 1], [0])
    assert set(table["difference"]) == {"ce_2view-ce", "turbo-ce", "turbo-ce_2view"}
    assert set(table["learning_curve"]) == {"6", "all"}
    assert set(table["learning_curve"]["6"]) == {"ce", "turbo"}
    assert set(table["inputs"]) == {"audio", "text", "fused"}
    assert {"arm in_modal", "arm r_drop", "learning curve at 25"} <= set(table["not_run"])
    assert str(tmp_path.parent) not in json.dumps(table)
    assert table["config"]["data.manifest"] == ["manifest.jsonl"]
    by_hand = [
        json.loads(line)["result"]["test"]["fused"]["balanced_accuracy"]
        for line in journal.read_text().splitlines()
        if json.loads(line)["key"]["arm"] == "ce" and json.loads(line)["key"]["size"] == 0
    ]
    arm = table["arms"]["ce"]
    assert sorted(run["value"] for run in arm["runs"]) == sorted(by_hand)
    assert arm["mean"] == pytest.approx(sum(by_hand) / 2)
    assert (arm["compute"]["optimizer_steps"], len(arm["runs"])) == (3, 2)
    for name in ("table.md", "folds.png", "differences.png", "learning_curve.png", "runs.jsonl.gz"):
        assert (tmp_path / "results" / name).stat().st_size > 500, name
    assert str(tmp_path) not in (tmp_path / "results" / "table.json").read_text()

    # Killed in the middle of a line: that run is made again, and comes out as before.
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-30])
    status, again = crossval(corpus, tmp_path, *options, "--seeds", "1")
    assert status == 0
    assert again["arms"]["turbo"]["runs"] == table["arms"]["turbo"]["runs"]
    assert again["learning_curve"] == table["learning_curve"]
    assert journal.read_bytes().startswith(whole[: whole[:-30].rfind(b"\n")])

    # Another figure needs no further run; missing runs are named.
    more = [*options, "--seeds", "2", "--tables-only", "--metric", "accuracy"]
    status, other = crossval(corpus, tmp_path, *more)
    assert (status, other["metric"]) == (0, "accuracy")
    assert "ce, fold 0, seed 1, all rows, text auto" in other["not_run"]

    # One fold alone is enough to check a table by.
    alone = tmp_path / "alone"
    status, one = crossval(corpus, alone, "--arms", "ce", "--only-folds", "1", "--seeds", "1")
    assert status == 0
    assert one["arms"]["ce"]["runs"] == [r for r in arm["runs"] if r["fold"] == 1]
    assert crossval(corpus, alone, "--only-folds", "2")[0] == 2
    assert "folds 0 to 1" in capsys.readouterr().err

    # Another configuration is not mixed in.
    call = ["classify", *assignments(corpus, tmp_path, "train.steps=4"), *options]
    assert run_command(main, call) == 2
    assert "train.steps = 3, now it is 4" in capsys.readouterr().err


def test_arms_differ_in_their_objective_and_slow_ones_in_rates_wordy_ones_in_sound():
    recipe = build_recipe("classify", [])
    cells = plan(ARMS, ["ce"], [0, 1], 2, [25], "gold")
    assert len(cells) == len(ARMS) * 4 + 4
    assert [cell.size for cell in cells[-4:]] == [25] * 4
    same = {
        replace(cell_recipe(recipe, Cell(arm, 1, 3, 0, "gold"), None), objective=recipe.objective)
        for arm in ARMS
        if arm not in ("ce_slow", "ce_words")
    }
    (found,) = same
    plain, slow, words = (
        cell_recipe(recipe, Cell(arm, 1, 3, 0, "gold"), None)
        for arm in ("ce", "ce_slow", "ce_words")
    )
    rates = ("learning_rate", "audio_rate", "head_rate", "temperature_rate")
    for rate in rates:
        assert getattr(slow.train, rate) == pytest.approx(getattr(plain.train, rate) / 3)
    same_rates = replace(slow.train, **{rate: getattr(plain.train, rate) for rate in rates})
    assert replace(slow, train=same_rates) == plain
    assert (plain.data.sound, words.data.sound) == (True, False)
    assert replace(words, data=replace(words.data, sound=True)) == plain
    assert (found.seed, found.data.fold, found.data.transcripts) == (3, 1, "gold")


def test_trials_are_the_recipe_first_and_the_same_every_time():
    recipe = build_recipe("classify", [])
    first, second = trials(2)
    assert first.applied(recipe) == recipe
    assert trials(5)[1] == second
    changed = second.applied(recipe)
    assert changed.train.head_rate / recipe.train.head_rate == pytest.approx(second.rate)
    assert changed.model.dropout == second.dropout
    assert Trial(temperature=0.2).applied(recipe).objective.temperature == 0.2


@pytest.fixture(scope="module")
def bench(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("bench")
    settings = ["train.checkpoint_every=0", "train.tensorboard=false"]
    bench = prepare(build_recipe("classify", assignments(corpus, out, *settings)))
    for fold in (0, 1):
        data = replace(bench.recipe.data, fold=fold)
        bench.fill(split_rows(bench.rows, data, 0, LABELS))
    return bench


def test_tuning_hears_no_test_row_and_takes_the_best_mean(bench, tmp_path):
    one_fold = tune(bench, ["ce"], [0], 3, tmp_path, 1)
    split = split_rows(bench.rows, bench.recipe.data, 0, LABELS)
    heard = {clip for clip, _ in bench.store._memory}
    assert heard <= {row.clip for row in (*split.train, *split.dev)}
    tuned = tune(bench, ["ce", "turbo"], [0, 1], 3, tmp_path, 1)
    written = json.loads((tmp_path / "tuning.json").read_text())
    journal = [json.loads(line) for line in (tmp_path / "tuning.jsonl").read_text().splitlines()]
    assert len(journal) == 2 * 2 * 3
    assert not any("test" in line["result"] for line in journal)
    for arm in ("ce", "turbo"):
        devs = written["arms"][arm]["dev_of_trials"]
        assert written["arms"][arm]["dev"] == min(devs)
        assert tuned[arm] == trials(3)[devs.index(min(devs))]
    assert one_fold["ce"] in trials(3)
    assert read_tuning(tmp_path / "tuning.json", ["turbo"]) == {"turbo": tuned["turbo"]}
    with pytest.raises(InputError, match="no settings for r_drop"):
        read_tuning(tmp_path / "tuning.json", ["ce", "r_drop"])


@pytest.mark.slow
def test_a_run_does_not_depend_on_who_ran_before_or_where(bench, tmp_path):
    jobs = [
        Job(arm, cell_recipe(bench.recipe, Cell(arm, 0, 1, 0, "auto"), None), None, test=True)
        for arm in ("turbo", "ce")
    ]
    first = {job.key: run_job(bench, job) for job in jobs}
    run_job(bench, replace(jobs[0], recipe=replace(jobs[0].recipe, seed=9)))
    again = run_job(bench, jobs[0])
    beside = {job.key: result for job, result in run_jobs(bench, jobs, 2)}
    for other in (again, beside["turbo"]):
        assert other["dev"] == first["turbo"]["dev"]
        assert other["test"] == first["turbo"]["test"]
    assert beside["ce"]["test"] == first["ce"]["test"]
    assert first["ce"]["dev"] != first["turbo"]["dev"]


def test_a_setting_that_is_new_since_does_not_end_a_journal(tmp_path):
    setup = describe(build_recipe("classify", []), read_folds("iemocap"), 0)
    new = "objective.learn_temperature"
    check_setup(tmp_path, {key: value for key, value in setup.items() if key != new})
    check_setup(tmp_path, setup)
    with pytest.raises(InputError, match=new):
        check_setup(tmp_path, {**setup, new: False})


def test_a_journal_keeps_what_was_written(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    journal.add({"b": 1, "a": "x"}, {"value": 2})
    with (tmp_path / "j.jsonl").open("ab") as file:
        file.write(b'\0\0\n[]\n{"key": 1, "result": {}}\n{"key": {"ar')
    again = Journal(tmp_path / "j.jsonl")
    assert {"a": "x", "b": 1} in again
    assert {"a": "x", "b": 2} not in again
    assert again[{"a": "x", "b": 1}] == {"value": 2}
    assert again.keys() == [{"a": "x", "b": 1}]
