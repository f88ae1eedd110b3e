"""`turbo-eval --learned`: clips are scored with what was learned, as a stream scores them."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from turbo_stream import InputError
from turbo_stream._util.probability import shifted
from turbo_stream.cli.command import run_command
from turbo_stream.cli.evaluate import evaluate
from turbo_stream.deciding.learner_of_models import learner_of_models
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.learning import learner as learner_module
from turbo_stream.learning.example import Example
from turbo_stream.learning.gate import Judged
from turbo_stream.learning.head import fit
from turbo_stream.recognition.recognizer import Transcript


@pytest.fixture
def manifest(tmp_path: Path, excerpt) -> Path:
    soundfile.write(tmp_path / "clip.wav", excerpt[:48_000], 16_000)
    path = tmp_path / "manifest.jsonl"
    path.write_text('{"audio_filepath": "clip.wav", "label": "directed", "text": "turn on"}\n')
    return path


def test_a_clip_is_scored_with_what_was_learned(
    package, tmp_path, manifest, excerpt, monkeypatch
) -> None:
    monkeypatch.setattr(
        learner_module, "judge", lambda examples, kernel: Judged(fit(examples, kernel))
    )
    learned = tmp_path / "learned.json"
    plain = ScoringSettings(package, gold_text=True)
    (item,) = read_manifest(manifest)
    shipped = Scorer(plain).score(item)["directed_probability"]
    vectors = (
        TurboClassifier(ModelPackage.load(package))
        .classify(excerpt[:48_000], Transcript("turn on"))
        .vectors
    )
    learner = learner_of_models(learned, ModelPackage.load(package), None)
    other = type(vectors)(-vectors.audio, -vectors.text, 0.0, vectors.confidence, True)
    learner.add([Example(vectors, False), Example(other, True)])
    change = learner.change(vectors)
    scored = Scorer(ScoringSettings(package, gold_text=True, learn=learned)).score(item)
    assert np.isfinite(change) and change < 0
    assert scored["directed_probability"] == shifted(shipped, change)


def test_a_file_that_is_not_there_is_said(package, tmp_path, manifest, capsys) -> None:
    missing = tmp_path / "none.json"
    with pytest.raises(InputError, match="`learn`"):
        Scorer(ScoringSettings(package, learn=missing))
    arguments = [str(manifest), "--out", str(tmp_path / "out"), "--model", str(package)]
    assert run_command(evaluate, [*arguments, "--learned", str(missing), "--text", "gold"]) == 2
    assert "--learned" in capsys.readouterr().err
