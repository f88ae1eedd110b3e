from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.data.config import DataConfig
from training.data.row import Row
from training.fitting.development import Development
from training.folds.split import Split

LABELS = ("not_directed", "directed")


def row(index, label, score, *, sound=True):
    """A row that says how a model scores it, by sound, and by words the other way round."""
    audio = Path(f"{index}.wav") if sound else None
    columns = {"score": str(score)}
    return Row(audio, label, "yes", (), "c", f"g{index}", (), columns=columns)


class Scorer:
    """Scores rows as they say; `asked` are those of the last call."""

    def __call__(self, model, rows, *, variant, modes):
        self.asked = list(rows)
        scores = np.array([float(row.columns["score"]) for row in rows])
        signs = {"fused": 1.0, "audio": -1.0, "text": -1.0}
        return {mode: np.stack([0 * scores, signs[mode] * scores], axis=1) for mode in modes}


def look(split):
    scorer = Scorer()
    development = Development(split, scorer, DataConfig(), LABELS)
    return development(None), scorer.asked


def test_the_fused_error_alone_chooses_and_the_others_are_told():
    dev = [row(i, i % 2, i % 2) for i in range(40)]
    found, _ = look(Split([], dev, []))
    assert found["dev"] == found["fused"] < 0.01
    assert found["audio"] > 0.99 and found["text"] > 0.99


def test_every_pair_of_collections_has_an_error_of_its_own():
    """Each pair is told apart without an error, by another threshold: pooled it would be half."""
    first = [row(f"a{i}", i % 2, 10 + i % 2) for i in range(40)]
    second = [row(f"b{i}", i % 2, -10 + i % 2) for i in range(40)]
    third = [row(f"c{i}", i % 2, 1 - i % 2) for i in range(8)]
    whole, _ = look(Split([], first + second, []))
    assert whole["dev"] > 0.4
    found, asked = look(Split([], first + second, [], {"a": first, "b": second}))
    assert found["dev"] == found["fused"] < 0.01
    assert len(asked) == 80
    parts = {"a": first, "b": second, "c": third}
    found, _ = look(Split([], first + second + third, [], parts))
    assert found["dev"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["fused, c"] == pytest.approx(1.0, abs=1e-3)
    assert found["fused, a"] < 0.01


def test_a_look_hears_as_many_of_each_class_and_pair():
    large = [row(f"a{i}", int(i % 10 == 0), i % 2) for i in range(4000)]
    small = [row(f"b{i}", i % 2, i % 2) for i in range(1000)]
    _, asked = look(Split([], large + small, [], {"a": large, "b": small}))
    counts = {(r.group[1], r.label): 0 for r in asked}
    for r in asked:
        counts[r.group[1], r.label] += 1
    assert set(counts.values()) == {125}


def test_where_there_is_no_sound_the_words_choose():
    lines = [row(i, i % 2, -(i % 2), sound=False) for i in range(20)]
    found, _ = look(Split([], lines, []))
    assert set(found) == {"text", "dev"}
    assert found["dev"] == found["text"] < 0.01
