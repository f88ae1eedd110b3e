"""The engines: the same rows from one process, several, and a real Ray cluster."""

from __future__ import annotations

import os
import signal
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path

import pytest

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.scoring import local_engine
from turbo_stream.evaluation.scoring.local_engine import score_locally
from turbo_stream.evaluation.scoring.settings import ScoringSettings


@pytest.fixture(scope="module")
def run_settings(tiny_package: Path) -> ScoringSettings:
    return ScoringSettings(model=str(tiny_package), asr="none").resolved()


@pytest.fixture(scope="module")
def expected(corpus: Path, run_settings) -> dict[int, dict]:
    return untimed(score_locally(read_manifest(corpus), run_settings))


def untimed(scored) -> dict[int, dict]:
    rows: dict[int, dict] = {}
    for index, row in scored:
        assert index not in rows, "a row came twice"
        rows[index] = {key: value for key, value in row.items() if key != "latency_ms"}
    return rows


def test_one_process(expected: dict[int, dict]) -> None:
    assert sorted(expected) == list(range(16))
    assert "not a sound file" in expected[7]["error"]
    row = expected[0]
    assert row["audio_filepath"] == "0.wav" and row["label"] == "directed"
    assert 0 <= row["directed_probability"] <= 1
    assert row["decision"] in ("accepted", "rejected")
    assert row["text_used"] == "" and row["asr"]["backend"] == "none"
    assert len({row.get("directed_probability") for row in expected.values()}) > 10


def test_several_processes_say_the_same(corpus: Path, run_settings, expected) -> None:
    assert untimed(score_locally(read_manifest(corpus), run_settings, workers=2)) == expected


def test_gold_text_and_names_reach_the_model(corpus: Path, tiny_package: Path) -> None:
    items = read_manifest(corpus)[:2]
    settings = ScoringSettings(model=str(tiny_package), gold_text=True, names=("friday",))
    rows = untimed(score_locally(items, settings))
    assert rows[0]["text_used"] == items[0].text
    assert rows[0]["asr"] == {
        "backend": "gold",
        "avg_logprob": None,
        "no_speech_prob": None,
        "compression_ratio": None,
    }
    nameless = untimed(score_locally(items, replace(settings, names=())))
    assert rows[0]["directed_probability"] != nameless[0]["directed_probability"]


class _Killer:
    """Stands in for the scorer in a worker: dies on one item, as a decoder that crashes would."""

    def __init__(self, settings: ScoringSettings) -> None:
        self._victim = int(os.environ["TEST_VICTIM"])

    def score(self, item) -> dict:
        if item.index == self._victim:
            os.kill(os.getpid(), signal.SIGKILL)
        return {**item.row, "directed_probability": 0.5}


def _start_killer(settings: ScoringSettings) -> None:
    local_engine._scorer = _Killer(settings)


@pytest.mark.slow
def test_an_item_that_kills_its_worker_costs_only_itself(corpus, run_settings, monkeypatch) -> None:
    monkeypatch.setattr(local_engine, "_start", _start_killer)
    monkeypatch.setenv("TEST_VICTIM", "5")
    rows = untimed(score_locally(read_manifest(corpus), run_settings, workers=2))
    assert sorted(rows) == list(range(16))
    assert {i for i, row in rows.items() if "error" in row} == {5}
    assert rows[5]["error"] == "the process that scored this item died"


def test_a_model_that_is_not_there_is_said_at_once(corpus: Path) -> None:
    with pytest.raises(InputError, match="no-such-model"):
        list(score_locally(read_manifest(corpus), ScoringSettings(model="no-such-model")))


class _BreaksWhenAsked:
    """A pool that takes one batch and breaks at the second, between two batches."""

    def __init__(self) -> None:
        self.submitted = 0

    def __enter__(self) -> _BreaksWhenAsked:
        return self

    def __exit__(self, *error) -> None:
        return None

    def submit(self, function, batch) -> Future:
        self.submitted += 1
        if self.submitted == 2:
            raise BrokenProcessPool
        future: Future = Future()
        future.set_result([(item.index, {}) for item in batch])
        return future


def test_a_pool_that_breaks_between_two_batches_loses_neither(corpus, run_settings, monkeypatch):
    monkeypatch.setattr(local_engine, "_pool", lambda settings, workers: _BreaksWhenAsked())
    items = read_manifest(corpus)[:8]
    lost: list = []
    batches = iter([items[:4], items[4:]])
    found = dict(local_engine._score_batches(batches, run_settings, 2, lost))
    assert sorted([*found, *(item.index for item in lost)]) == list(range(8))
