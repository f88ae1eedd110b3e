import gzip
import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("soundfile")

from models.transformer import EncoderLayer
from models.turbo import Turbo
from tests.support.tiny_corpus import word_tokenizer, write_lines, write_start, write_tone
from tests.support.tiny_network import TINY
from training.crossval import execute
from training.crossval.cell import Cell, cell_recipe
from training.crossval.row_scores import load_rows, scores_path
from training.fitting import workbench
from training.fitting.metrics import equal_error_rate
from training.fitting.recipe import build_recipe
from training.fitting.runs import train_run
from training.folds.split import split_rows

SETS = {
    "calls": ("directed", "open"),
    "chat": ("not_directed", "late"),
    "orders": ("directed", "shut"),
    "talk": ("not_directed", "well"),
    "rest": ("directed", "stay"),
    "more": ("not_directed", "so"),
}
LABELS = ("directed", "not_directed")
_LINES = ("open calls", "shut orders", "good morning all", "turn this light off", "make some tea")


@pytest.fixture
def recipe(tmp_path):
    """Two pairs of collections that say a word of their own each, a third, and lines of text."""
    rows = []
    for name, (label, word) in SETS.items():
        for take in range(4):
            path = f"{name}{take}.wav"
            write_tone(tmp_path / path, 200.0 + 10 * take)
            row = {"audio_filepath": path, "label": label, "text": f"{word} {name}"}
            rows.append({**row, "set": name, "group": f"{name}{take}"})
    write_lines(tmp_path / "m.jsonl", rows)
    texts = tmp_path / "texts"
    texts.mkdir()
    with gzip.open(texts / "lines.jsonl.gz", "wt") as file:
        for text in _LINES:
            file.write(json.dumps({"text": text, "label": "directed"}) + "\n")
    folds = [{"test": ["calls", "chat"]}, {"test": ["orders", "talk"]}]
    content = {"name": "two", "column": "set", "folds": folds, "dev": ["rest", "more"]}
    content["keep_apart"] = ["set", "group"]
    (tmp_path / "folds.json").write_text(json.dumps(content))
    settings = {
        "out": tmp_path / "out",
        "data.manifest": tmp_path / "m.jsonl",
        "data.text": texts,
        "data.dev_share": 0,
        "data.folds": tmp_path / "folds.json",
        "train.steps": 2,
        "train.batch": 4,
        "train.evaluate_every": 2,
        "train.warmup": 1,
        "train.checkpoint_every": 0,
        "train.tensorboard": "false",
        "device": "cpu",
    }
    return build_recipe("rej", [f"{key}={value}" for key, value in settings.items()])


@pytest.fixture
def pruned(monkeypatch):
    """The words of every vocabulary that is asked for, in turn."""
    found = []

    def start_model(config, texts):
        words = sorted({word for text in texts for word in text.split()})
        found.append(set(words))
        config = replace(TINY, labels=config.labels, vocabulary_size=60)
        return config, Turbo(config), word_tokenizer([*words, *map(str, range(56 - len(words)))])

    monkeypatch.setattr(workbench, "start_model", start_model)
    return found


def test_the_words_of_a_test_are_in_no_vocabulary_that_is_made_for_it(recipe, pruned):
    bench = workbench.prepare(recipe)
    other = bench.for_fold(1)
    for fold, words, some in ((0, pruned[0], bench), (1, pruned[1], other)):
        split = split_rows(bench.rows, replace(recipe.data, fold=fold), 0, LABELS)
        assert split.test
        tested = {word for row in split.test for word in row.text.split()}
        assert not tested & words
        assert {"good", "morning", "light"} <= words
        assert all(some.tokenizer.token_to_id(word) is None for word in tested)
        some.sampler(recipe, split, seed=0)
        assert not tested & set(some._mishearing.common)
    assert other.for_fold(0) is bench
    assert bench.for_fold(1) is other
    assert other.store is bench.store
    assert other.model.audio_front is bench.model.audio_front
    assert other.model.text_tower is not bench.model.text_tower


def test_runs_of_a_cross_validation_read_with_the_words_of_their_fold(recipe, pruned, monkeypatch):
    used = []
    fitted = execute.fit_model

    def fit_model(bench, recipe, split, *more, **options):
        used.append((recipe.data.fold, bench.tokenizer.token_to_id("shut") is not None))
        return fitted(bench, recipe, split, *more, **options)

    monkeypatch.setattr(execute, "fit_model", fit_model)
    bench = workbench.prepare(recipe)
    execute.fill_features(bench, [0, 1])
    results = []
    for fold in (0, 1, 0):
        data = replace(bench.recipe.data, fold=fold)
        job = execute.Job(fold, replace(bench.recipe, data=data), folder=None, test=True)
        results.append(execute.run_job(bench, job))
    assert used == [(0, True), (1, False), (0, True)]
    assert len(pruned) == 2
    assert results[0]["test"] == results[2]["test"]


def test_a_checkpoint_keeps_its_vocabulary_in_every_fold(recipe, pruned, tmp_path):
    start = write_start(tmp_path / "start", Turbo(replace(TINY, labels=LABELS)))
    bench = workbench.prepare(replace(recipe, init=str(start)))
    other = bench.for_fold(1)
    assert other.tokenizer is bench.tokenizer
    assert other.model is bench.model
    assert other.recipe.data.fold == 1
    assert not pruned


def test_a_fold_starts_from_a_checkpoint_of_its_own(recipe, tmp_path):
    """What one fold's start has read is new to the test of another."""
    for fold, words in ((0, "shut"), (1, "open")):
        torch.manual_seed(fold)
        model = Turbo(replace(TINY, labels=LABELS))
        write_start(tmp_path / "starts" / f"folds-{fold}", model)
        tokenizer = word_tokenizer([words, *map(str, range(55))])
        tokenizer.save(str(tmp_path / "starts" / f"folds-{fold}" / "tokenizer.json"))
    bench = workbench.prepare(replace(recipe, init=str(tmp_path / "starts")))
    other = bench.for_fold(1)
    assert [b.tokenizer.token_to_id("shut") is None for b in (bench, other)] == [False, True]
    assert other.model.audio_front is bench.model.audio_front
    first, second = (b.fresh_model(b.recipe).text_tower.state_dict() for b in (bench, other))
    assert any(not torch.equal(first[name], second[name]) for name in first)
    # The bench of a fold gives its own start again, whoever ran in between.
    again = bench.for_fold(0).fresh_model(bench.recipe).text_tower.state_dict()
    saved, _ = workbench.load_model(tmp_path / "starts" / "folds-0")
    for name, value in saved.text_tower.state_dict().items():
        assert torch.equal(again[name], value)


def test_a_run_of_lines_alone_is_the_start_of_its_fold(recipe, pruned, tmp_path):
    """As a text tower is taught for each fold, by the lines that the fold leaves."""
    lines = replace(recipe.data, text_share=1.0, sound=False)
    train = replace(recipe.train, steps=2, evaluate_every=2)
    out = tmp_path / "starts" / "folds-1"
    run = replace(recipe, out=str(out), data=replace(lines, fold=1), train=train)
    train_run(run)
    assert not [path for path in out.rglob("features/**/*") if path.is_file()], "nothing is heard"
    bench = workbench.prepare(replace(recipe, init=str(out.parent), data=run.data))
    assert workbench.start_folder(bench.recipe) == out
    assert bench.tokenizer.token_to_id("shut") is None, "the word of that fold's test"


def test_dropout_is_that_of_the_run_whatever_it_starts_from(recipe, pruned, tmp_path):
    start = write_start(tmp_path / "start", Turbo(replace(TINY, labels=LABELS, dropout=0.3)))
    model = replace(recipe.model, dropout=0.2, inner_dropout=0.1)
    bench = workbench.prepare(replace(recipe, init=str(start), model=model))
    assert (bench.recipe.model.dropout, bench.recipe.model.inner_dropout) == (0.2, 0.1)
    fresh = bench.fresh_model(bench.recipe)
    body = [*fresh.audio_tower.modules(), *fresh.text_tower.modules()]
    layers = [module for module in body if isinstance(module, EncoderLayer)]
    assert len(layers) == len(fresh.audio_tower.layers) + len(fresh.text_tower.layers)
    assert {layer.inner_dropout for layer in layers} == {0.1}
    assert {module.p for module in body if isinstance(module, torch.nn.Dropout)} == {0.2}
    front = [module for module in fresh.audio_front.modules() if isinstance(module, EncoderLayer)]
    assert front and {layer.inner_dropout for layer in front} == {0.0}


def test_words_alone_are_scored_as_the_mode_and_kept_by_row(recipe, pruned, tmp_path):
    bench = workbench.prepare(recipe)
    execute.fill_features(bench, [0])
    kept, results = {}, {}
    for arm in ("ce", "ce_words"):
        cell = Cell(arm, 0, 0, 0, "auto")
        path = scores_path(tmp_path / "scores", cell)
        job = execute.Job(
            cell, cell_recipe(bench.recipe, cell, None), folder=None, test=True, scores=path
        )
        results[arm] = execute.run_job(bench, job)
        kept[arm] = load_rows(path)
    assert set(results["ce"]["test"]) == {"fused", "audio", "text"}
    assert set(results["ce_words"]["test"]) == {"fused", "text"}
    for arm, rows in kept.items():
        assert sorted(rows.groups) == sorted(
            f"{name}{n}" for name in ("calls", "chat") for n in range(4)
        )
        found = results[arm]["test"]["fused"]["equal_error_accuracy"]
        assert 1.0 - equal_error_rate(rows.hits, rows.scores) == pytest.approx(found)
    # Rows that say the same have the same score: nothing of their sound is in it.
    words, both = (kept[arm].scores[kept[arm].hits] for arm in ("ce_words", "ce"))
    assert np.ptp(words) < 1e-6 < np.ptp(both)
