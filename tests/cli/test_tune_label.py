"""A folder of somebody's own recordings, looked at before it is learned from."""

import json

import numpy as np
import pytest
import soundfile

from turbo_stream.cli import tune_label
from turbo_stream.cli.command import run_command
from turbo_stream.cli.tune import tune


def write_voice(path, seed, *, level=0.1, seconds=0.6):
    """Noise that swells twice, as words do; all alike but for their seed."""
    rng = np.random.default_rng(seed)
    wave = rng.normal(0, 1, int(seconds * 16_000))
    swell = 0.1 + np.abs(np.sin(np.linspace(0, 2 * np.pi, len(wave))))
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(level * wave * swell, -1, 1), 16_000)


def write_folder(folder, *, speakers=5, each=4, quieter=1.0):
    for index, label in enumerate(("directed", "not_directed")):
        level = 0.1 * quieter**index
        for number in range(speakers * each):
            path = folder / label / f"s{number % speakers}" / f"{number}.wav"
            write_voice(path, 1000 * index + number, level=level)


def run(folder, out, *options):
    return run_command(tune, ["label", str(folder), "--out", str(out), *options])


@pytest.fixture(autouse=True)
def _extra():
    pytest.importorskip("sklearn", reason="needs the eval extra")


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_speakers_are_on_one_side_and_words_come_from_beside(tmp_path, capsys):
    folder, out = tmp_path / "mine", tmp_path / "out"
    write_folder(folder)
    (folder / "directed" / "s0" / "0.txt").write_text("turn\non  the light\n")
    assert run(folder, out, "--name", "friday") == 0
    train, test = rows(out / "train.jsonl"), rows(out / "test.jsonl")
    assert len(train) + len(test) == 40
    assert {row["speaker"] for row in train} & {row["speaker"] for row in test} == set()
    assert {row["label"] for row in test} == {"directed", "not_directed"}
    first = next(
        row for row in train + test if row["audio_filepath"].endswith("/directed/s0/0.wav")
    )
    assert first["text"] == "turn on the light" and first["device_name"] == "friday"
    assert (out / first["audio_filepath"]).is_file()
    assert str(tmp_path) not in (out / "train.jsonl").read_text()
    report = json.loads((out / "folder.json").read_text())
    assert report["recordings"] == {"directed": 20, "not_directed": 20}
    assert report["speakers"] == {"directed": 5, "not_directed": 5}
    assert report["channel_auc"] < 0.75  # both classes were made alike
    assert not any("AUC" in line for line in report["warnings"])
    assert "training begins to be worth it" in capsys.readouterr().out
    # What was held out is trained on now: nothing may be left to be judged by it.
    assert run(folder, out, "--test-share", "0") == 0
    assert len(rows(out / "train.jsonl")) == 40 and not (out / "test.jsonl").exists()


def test_classes_of_two_microphones_are_told(tmp_path, capsys):
    write_folder(tmp_path / "mine", quieter=0.2)
    assert run(tmp_path / "mine", tmp_path / "out") == 0
    report = json.loads((tmp_path / "out" / "folder.json").read_text())
    assert report["channel_auc"] > 0.95
    assert "the model can learn the microphone in place of the intent" in capsys.readouterr().out


def test_what_cannot_be_learned_from_is_left_out_and_named(tmp_path, capsys):
    folder = tmp_path / "mine"
    for number in range(6):
        write_voice(folder / "directed" / f"anna_{number}.wav", number)
        write_voice(folder / "not_directed" / f"ben_{number}.wav", 100 + number)
    (folder / "directed" / "broken.wav").write_bytes(b"RIFFnothing")
    soundfile.write(folder / "directed" / "still.wav", np.zeros(16_000), 16_000)
    write_voice(folder / "directed" / "click.wav", 7, seconds=0.05)
    same, _ = soundfile.read(folder / "directed" / "anna_1.wav", dtype="int16")
    soundfile.write(folder / "directed" / "copy.flac", same, 16_000)
    write_voice(folder / "not_directed" / "both.wav", 2)  # as anna_2.wav
    assert run(folder, tmp_path / "out") == 0
    said = capsys.readouterr().out
    for name, why in {
        "broken.wav": "sound",
        "still.wav": "is silent",
        "click.wav": "lasts 0.05 s",
        "copy.flac": "the same sound as",
        "both.wav": "under both labels",
        "anna_2.wav": "under both labels",
    }.items():
        assert any(f"{name} " in line and why in line for line in said.splitlines()), said
    everything = rows(tmp_path / "out" / "train.jsonl") + rows(tmp_path / "out" / "test.jsonl")
    assert len(everything) == 11
    # One voice a class: nobody can be held out, so recordings are.
    assert "fewer than 4 speakers" in said
    assert len({row["group"] for row in everything}) == 11


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda folder: (folder / "directed").mkdir(parents=True), "no folder not_directed"),
        (
            lambda folder: [(folder / n).mkdir(parents=True) for n in ("directed", "not_directed")],
            "holds no sound that can be used",
        ),
    ],
)
def test_a_folder_without_both_classes_is_bad_input(make, said, tmp_path, capsys):
    make(tmp_path / "mine")
    assert run(tmp_path / "mine", tmp_path / "out") == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error


def test_without_the_extra_it_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(tune_label, "find_spec", lambda name: None)
    assert run(tmp_path, tmp_path / "out") == 2
    assert "pip install 'turbo-listen[eval]'" in capsys.readouterr().err
