"""Both modes decide what the pipeline decides."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.fakes import ScriptedRecognizer
from tests.support.tiny_package import tiny_graph, write_marked_package, write_package
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring._stream_scorer import StreamScorer
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.recognition.recognizer import Confidence, NoRecognizer, Transcript


class Disbelieved(ScriptedRecognizer):
    """Hears a loop."""

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        return Transcript("you you", Confidence(-0.3), "repeats", known=False)


def scorer(model: Path | str, recognizer, **settings) -> Scorer:
    found = Scorer(ScoringSettings(model=str(model), asr="none", **{"threshold": 0.0} | settings))
    found.models = replace(found.models, recognizer=recognizer)
    found._stream = StreamScorer(found.models, found._condition, 0)
    found.asr = recognizer.name
    return found


@pytest.mark.parametrize(
    ("recognizer", "decision", "evidence"),
    [
        (ScriptedRecognizer(), "accepted", "content"),
        (ScriptedRecognizer(text=""), "rejected", "no_words"),
        (ScriptedRecognizer(text="[wind]"), "rejected", "no_words"),
        (Disbelieved(), "accepted", "sound"),
        (NoRecognizer(), "accepted", "sound"),
    ],
)
def test_clips_and_recordings_are_decided_alike(
    tiny_package, corpus, kitchen_pcm, recognizer, decision, evidence
) -> None:
    clip = read_manifest(corpus)[0]
    row = scorer(tiny_package, recognizer).score(clip)
    assert (row["decision"], row["evidence"]) == (decision, evidence)
    assert row["asr"].get("guard") == (
        "repeats" if evidence == "sound" and row["text_used"] else None
    )
    assert (row["directed_probability"] == 0) == (evidence == "no_words")
    pipeline = scorer(tiny_package, recognizer).models.stream()
    heard = pipeline.process(kitchen_pcm[: 16_000 * 4]) + pipeline.flush()
    assert (heard[-1].decision, heard[-1].evidence) == (decision, evidence)


def test_a_row_without_a_text_is_decided_by_its_sound(tiny_package, corpus) -> None:
    item = read_manifest(corpus)[0]
    items = [replace(item, row=item.row | {"text": text}) for text in (None, "")]
    gold = Scorer(ScoringSettings(model=str(tiny_package), gold_text=True, threshold=0.0))
    for item in items:
        row = gold.score(item)
        assert (row["decision"], row["evidence"], row["text_used"]) == ("accepted", "sound", "")


def test_other_classes_are_not_touched(tmp_path, corpus) -> None:
    package = write_package(
        tmp_path / "moods",
        labels=["calm", "angry", "sad"],
        graph=tiny_graph(classes=3),
        calibration={"method": "affine", "scale": 1.0, "bias": [0.0, 0.0, 0.0]},
    )
    row = scorer(package, ScriptedRecognizer(text=""), threshold=None).score(
        read_manifest(corpus)[0]
    )
    assert row["decision"] in ("calm", "angry", "sad") and "evidence" not in row
    assert sum(row["probabilities"].values()) == pytest.approx(1)


def test_a_marked_package_reads_the_names_and_the_turn_before_of_a_row(tmp_path, corpus) -> None:
    package = write_marked_package(tmp_path / "marked")
    hears = ScriptedRecognizer(text="Friday, turn on the light.")
    one = scorer(package, hears, address="open")
    item = read_manifest(corpus)[0]

    def score(**row: str) -> float:
        found = one.score(replace(item, row=item.row | row))
        return found["directed_probability"]

    plain = score()
    assert score(before="") == score(device_name="max") == plain
    assert score(before="what light") != plain != score(device_name="friday")
    tiny = scorer(write_package(tmp_path / "tiny"), ScriptedRecognizer())
    rows = [replace(item, row=item.row | row) for row in ({}, {"before": "what light"})]
    assert len({tiny.score(row)["directed_probability"] for row in rows}) == 1
