import json

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.data.config import DataConfig
from training.data.manifest import found_labels, read_manifest
from training.data.ravdess import EMOTIONS, main
from training.folds.split import split_rows
from turbo_stream.cli.command import run_command


@pytest.fixture
def corpus(tmp_path):
    """The names of the corpus, without its sound: 24 actors, 8 emotions."""
    for actor in range(1, 25):
        folder = tmp_path / "ravdess" / "Audio_Speech_Actors_01-24" / f"Actor_{actor:02d}"
        folder.mkdir(parents=True)
        for emotion in range(1, 9):
            (folder / f"03-01-{emotion:02d}-01-02-01-{actor:02d}.wav").touch()
        (folder / f"03-02-05-02-02-01-{actor:02d}.wav").touch()  # sung
        (folder / f"._03-01-05-02-02-01-{actor:02d}.wav").touch()
    return tmp_path / "ravdess"


def test_names_become_emotions_and_folds_hold_every_actor_once(corpus, tmp_path, capsys):
    out = tmp_path / "manifest.jsonl"
    assert run_command(main, [str(corpus), "--out", str(out)]) == 0
    assert "192 recordings of 24 actors: neutral 24" in capsys.readouterr().out
    row = json.loads(out.read_text().splitlines()[11])
    assert (row["speaker"], row["gender"], row["label"]) == ("ravdess_02", "f", "sad")
    assert "text" not in row
    labels = found_labels([out])
    assert set(labels) == set(EMOTIONS)
    rows = read_manifest(out, labels, {})
    tested = []
    for fold in range(3):
        data = DataConfig(folds="ravdess", fold=fold, shippable_only=False)
        split = split_rows(rows, data, 0, labels)
        assert len({r.group for r in split.test}) == 8
        assert {r.columns["gender"] for r in split.test} == {"m", "f"}
        assert not {r.group for r in split.dev} & {r.group for r in split.train}
        tested += [r.group for r in split.test]
    assert sorted(set(tested)) == sorted({r.group for r in rows})
    assert len(tested) == len(rows)


def test_another_folder_is_refused_in_one_line(tmp_path, capsys):
    assert run_command(main, [str(tmp_path), "--out", str(tmp_path / "m.jsonl")]) == 2
    assert "Actor_01" in capsys.readouterr().err
