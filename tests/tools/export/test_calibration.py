"""Calibration on recordings that had no part in the choice of the weights."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from click.testing import CliRunner

from tests.tools.export.test_export import tokenizer, training_folder  # noqa: F401
from tools.export.__main__ import main
from tools.export.calibration import chosen_by, split_known
from tools.export.card import calibration_section
from training.data.row import Row
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.binary import expected_calibration_error

CONFIG = {"data": {"folds": ""}, "model": {"labels": ["not_directed", "directed"]}}
METRICS = {"data": [{"collection": "learned", "kind": "real"}]}


def row(number: int, label: int, collection: str = "new", **more) -> Row:
    values = {"hypotheses": (), "text": "a", "names": (), "group": f"{collection}{number}", **more}
    return Row(audio=Path(f"{number}.wav"), label=label, collection=collection, **values)


def test_what_the_run_knows_is_left_out() -> None:
    new = [row(n, n % 2) for n in range(20)]
    known = [row(n, n % 2, "learned") for n in range(8)]
    chose = [row(n, n % 2, "chose", fold="dev") for n in range(6)]
    held = [row(n, n % 2, "learned", fold="test", group=f"held{n}") for n in range(10)]
    halves = split_known([*new, *known, *chose, *held], CONFIG, METRICS)
    used = halves.fit + halves.held
    assert halves.left_out == 14
    assert {id(one) for one in used} == {id(one) for one in [*new, *held]}
    assert not {one.group for one in halves.fit} & {one.group for one in halves.held}
    for half in (halves.fit, halves.held):
        assert {one.label for one in half} == {0, 1}
        assert len(half) >= 10


def test_the_collections_that_chose_the_weights_are_left_out(tmp_path: Path) -> None:
    folds = {"name": "f", "column": "set", "folds": [{"test": ["t"]}], "dev": ["chose"]}
    (tmp_path / "folds.json").write_text(json.dumps(folds))
    config = {**CONFIG, "data": {"folds": str(tmp_path / "folds.json")}}
    rows = [row(n, n % 2, name, columns={"set": name}) for n in range(9) for name in ("t", "chose")]
    halves = split_known(rows, config, METRICS)
    assert {one.collection for one in halves.fit + halves.held} == {"t"}
    assert chosen_by(config, {}, None) == ["chose"]
    assert chosen_by(config, {}, halves) == ["chose", "t"]  # what calibrates has chosen, too
    assert chosen_by(CONFIG, {}, None) == []
    paired = {"calibration": {"collections": ["talk", "calls"]}}  # of runs that left them out
    assert chosen_by(CONFIG, paired, None) == ["calls", "talk"]


def test_speakers_that_chose_the_weights_are_no_collection(tmp_path: Path) -> None:
    folds = {"name": "f", "column": "speaker", "folds": [{"test": ["t"]}], "dev": ["chose"]}
    (tmp_path / "folds.json").write_text(json.dumps(folds))
    config = {**CONFIG, "data": {"folds": str(tmp_path / "folds.json")}}
    assert chosen_by(config, {}, None) == []
    (tmp_path / "folds.json").unlink()
    assert chosen_by(config, {}, None) is None  # nobody knows any more


def test_a_run_without_a_fixed_pair_says_which_pairs_chose_it() -> None:
    config = {**CONFIG, "data": {"folds": "rej", "fold": 4}}  # home wake words x acted dialogue
    expected = ["audiobook", "phone_assistant", "phone_talk", "wake_words"]
    assert chosen_by(config, {}, None) == expected


def test_too_few_are_told_with_the_reason() -> None:
    rows = [row(n, n % 2, "learned") for n in range(8)] + [row(1, 0)]
    with pytest.raises(InputError, match=r"8 of 9 rows are left out, for the run was trained"):
        split_known(rows, CONFIG, METRICS)


def recordings(folder: Path, each: int = 16, collection: str = "new") -> Path:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(2 * each):
        name = f"{number}.wav"
        soundfile.write(folder / name, rng.normal(0, 0.02 + 0.1 * (number % 2), 4000), 16_000)
        label = ("directed", "not_directed")[number % 2]
        words = "w3 w4" if number % 3 else "w9"
        common = {"text": words, "set": collection, "speaker": f"s{number // 2}"}
        named = {"device_name": "w5"} if label == "directed" else {}
        rows.append({"audio_filepath": name, "label": label, **common, **named})
    path = folder / "calibrate.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


@pytest.mark.slow
def test_a_package_is_calibrated_on_one_half_and_its_thresholds_set_on_the_other(
    tiny,
    tokenizer,  # noqa: F811
    tmp_path: Path,
) -> None:
    run, package = tmp_path / "run", tmp_path / "package"
    training_folder(run, tiny, tokenizer, "rej")
    manifest = recordings(tmp_path)
    done = CliRunner().invoke(
        main, [str(run), "--out", str(package), "--calibrate-on", str(manifest)]
    )
    assert done.exit_code == 0, done.output
    stored = json.loads((package / "turbo.json").read_text())
    assert stored["calibration"] != {"method": "affine", "scale": 2.0, "bias": [0.1, 0.0]}
    assert set(stored["operating_points"]) == {"balanced", "fa1", "fr1"}
    assert stored["threshold"] == stored["operating_points"]["balanced"]["threshold"]
    said = stored["metrics"]["calibration"]
    assert said["prior"] == [0.5, 0.5]
    assert said["fitted_on"]["rows"] + said["thresholds_on"]["rows"] == 32
    assert said["fitted_on"]["groups"] + said["thresholds_on"]["groups"] == 16
    card = (package / "README.md").read_text()
    assert "a prior of 1 in 2" in card
    assert f"Fitted on {said['fitted_on']['rows']} recordings" in card

    # The error it states is that of the package as it scores, without a name on either side.
    from turbo_stream.detection.classifier import TurboClassifier
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.evaluation.corpus.clip import read_clip
    from turbo_stream.recognition.recognizer import Transcript

    classifier = TurboClassifier(ModelPackage.load(package))
    from training.data.manifest import read_manifest

    rows = read_manifest(manifest, classifier.labels, {})
    config, metrics = (
        json.loads((run / f"{name}.json").read_text()) for name in ("config", "metrics")
    )
    held = split_known(rows, config, metrics).held
    scores = [
        classifier.probabilities(read_clip(one.audio, 0.0, None), Transcript(one.text))["directed"]
        for one in held
    ]
    directed = classifier.labels.index("directed")
    truths = np.array([one.label == directed for one in held])
    assert said["ece"] == pytest.approx(
        expected_calibration_error(truths, np.array(scores)), abs=0.02
    )


@pytest.mark.slow
def test_recordings_that_were_trained_on_are_refused(tiny, tokenizer, tmp_path, capsys) -> None:  # noqa: F811
    learned = {"collection": "new", "kind": "real", "rows": {"directed": 1, "not_directed": 1}}
    data = [{**learned, "source": None, "license": None}]
    training_folder(tmp_path / "run", tiny, tokenizer, "rej", data=data)
    arguments = [str(tmp_path / "run"), "--out", str(tmp_path / "package")]
    arguments += ["--calibrate-on", str(recordings(tmp_path))]
    assert run_command(main, arguments) == 2
    assert "32 of 32 rows are left out" in capsys.readouterr().err
    assert not (tmp_path / "package").exists()


def test_a_card_says_what_was_fitted_where_it_was_chosen() -> None:
    metrics = {"calibration": {"bias": [0.1, 0.0]}}
    card = calibration_section(metrics, {"int8_ece": 0.123})
    assert "Fitted on the development set, which chose the weights, too" in card
    assert "Expected calibration error on the recordings of the table below: 12.3 %" in card
