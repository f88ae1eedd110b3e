"""A whole run with `learn_counts`: scored, resumed, reported."""

import json
from pathlib import Path

import pytest

from turbo_stream.errors import InputError
from turbo_stream.evaluation.run import evaluate
from turbo_stream.evaluation.scoring import _scorer
from turbo_stream.evaluation.scoring.settings import ScoringSettings


@pytest.fixture
def settings(tiny_package: Path) -> ScoringSettings:
    return ScoringSettings(model=str(tiny_package), asr="none")


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count what is scored in this process."""
    seen: list[int] = []
    real = _scorer.Scorer.score

    def score(self, item):
        seen.append(item.index)
        return real(self, item)

    monkeypatch.setattr(_scorer.Scorer, "score", score)
    return seen


def test_the_figures_stand_beside_the_others(tmp_path, corpus, settings, scored) -> None:
    out = tmp_path / "out"
    metrics = evaluate(corpus, out, settings, learn_counts=(0, 2))
    assert json.loads((out / "metrics.json").read_text("utf-8"))["learn"] == metrics["learn"]
    assert set(metrics["learn"]) == {"0", "2"}
    assert {"eer", "eer_ci95"} <= metrics["learn"]["2"].keys()
    assert (out / "learn.png").read_bytes().startswith(b"\x89PNG")
    page = (out / "report.html").read_text("utf-8")
    assert 'id="learning"' in page and "Examples of each class" in page
    rows = [json.loads(line) for line in (out / "predictions.jsonl").open(encoding="utf-8")]
    assert len(rows) == 16 and not any("_vectors" in row for row in rows)
    # What is done is not done again, and the figures are the same.
    before = len(scored)
    assert evaluate(corpus, out, settings, learn_counts=(0, 2))["learn"] == metrics["learn"]
    assert len(scored) == before


def test_a_run_without_vectors_is_scored_again_and_one_with_them_is_not(
    tmp_path, corpus, settings, scored
) -> None:
    out = tmp_path / "out"
    plain = evaluate(corpus, out, settings)
    assert "learn" not in plain and len(scored) == 16
    learned = evaluate(corpus, out, settings, learn_counts=(0, 2))
    assert learned["learn"] and len(scored) == 31  # the row that is no sound stays what it is
    again = evaluate(corpus, out, settings)
    assert len(scored) == 31 and again["eer"] == plain["eer"] == learned["eer"]


def test_killed_half_way_it_goes_on_with_the_vectors(tmp_path, corpus, settings, scored) -> None:
    whole = evaluate(corpus, tmp_path / "whole", settings, learn_counts=(0, 2))["learn"]
    out = tmp_path / "out"
    evaluate(corpus, out, settings, learn_counts=(0, 2))
    journal = out / "progress.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:8]) + lines[8][:100])
    before = len(scored)
    assert evaluate(corpus, out, settings, learn_counts=(0, 2))["learn"] == whole
    assert len(scored) == before + 9


def test_what_cannot_be_shown_is_said_before_the_scoring(
    tmp_path, corpus, settings, scored
) -> None:
    with pytest.raises(InputError, match=r"asks for 99 examples"):
        evaluate(corpus, tmp_path / "out", settings, learn_counts=(0, 99))
    assert not scored


def test_long_recordings_have_no_examples(tiny_package: Path) -> None:
    with pytest.raises(InputError, match=r"`learn_counts` are for clips"):
        ScoringSettings(model=str(tiny_package), mode="stream", keep_vectors=True)
