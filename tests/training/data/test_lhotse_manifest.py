"""lhotse cuts, made and saved by lhotse itself, as a manifest that turbo-eval reads."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

lhotse = pytest.importorskip("lhotse", reason="needs the extra: pip install 'turbo-listen[train]'")

from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.corpus.manifest import read_manifest


@pytest.fixture
def cuts(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", np.zeros(64_000, np.int16), 16_000)
    recording = lhotse.Recording.from_file(tmp_path / "a.wav", recording_id="a")
    supervisions = [
        lhotse.SupervisionSegment(
            id="s1", recording_id="a", start=0.5, duration=1.0, text="lights on", speaker="ann",
            custom={"label": "directed", "snr": 12.0},
        ),
        lhotse.SupervisionSegment(
            id="s2", recording_id="a", start=2.0, duration=1.5, custom={"label": "not_directed"}
        ),
    ]  # fmt: skip
    whole = lhotse.MonoCut("c", 0.0, 4.0, 0, supervisions, recording=recording)
    bare = lhotse.MonoCut("d", 1.0, 0.5, 0, recording=recording)
    path = tmp_path / "cuts.jsonl.gz"
    lhotse.CutSet.from_cuts([whole, bare]).to_file(path)
    return path


def convert(*arguments: str) -> int:
    from training.data.lhotse_manifest import convert as command

    return run_command(command, list(arguments))


def test_one_row_per_supervision(cuts: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.jsonl"
    assert convert(str(cuts), "--out", str(out)) == 0
    first, second, third = read_manifest(out)
    assert first.path == tmp_path / "a.wav"
    assert (first.offset_s, first.duration_s, first.text) == (0.5, 1.0, "lights on")
    assert first.row["label"] == "directed" and first.row["snr"] == 12.0
    assert first.row["speaker"] == "ann"
    assert (second.offset_s, second.duration_s) == (2.0, 1.5)
    assert second.row["label"] == "not_directed"
    assert (third.offset_s, third.duration_s) == (1.0, 0.5) and "label" not in third.row


def test_what_is_no_cut_manifest_is_said(tmp_path: Path, capsys) -> None:
    (tmp_path / "x.jsonl").write_text('{"a": 1}\n')
    assert convert(str(tmp_path / "x.jsonl"), "--out", str(tmp_path / "m.jsonl")) == 2
    assert convert(str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "m.jsonl")) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and "no such file" in errors[1]
    assert not (tmp_path / "m.jsonl").exists()
