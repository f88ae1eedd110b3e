import json

import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("soundfile")

from tests.support.tiny_corpus import write_tone
from training.data.config import DataConfig
from training.data.iemocap import main
from training.data.manifest import found_labels, read_manifest
from training.folds.split import split_rows
from turbo_stream.cli.command import run_command

EMOTIONS = ("ang", "exc", "hap", "neu", "sad", "xxx", "fru", "oth")


@pytest.fixture
def corpus(tmp_path):
    """The layout of the licensed corpus: five sessions, two speakers, two dialogues each."""
    root = tmp_path / "IEMOCAP_full_release"
    for session in range(1, 6):
        folder = root / f"Session{session}"
        ratings = folder / "dialog" / "EmoEvaluation"
        spoken = folder / "dialog" / "transcriptions"
        for path in (ratings / "Attribute", ratings / "Categorical", spoken):
            path.mkdir(parents=True)
        # macOS leaves such files in the archive; they are not text.
        (ratings / "._Ses01F_impro01.txt").write_bytes(b"\x00\x05\x16\x07Mac OS X\xb0\xff")
        (spoken / "._Ses01F_impro01.txt").write_bytes(b"\x00\x05\x16\x07\xb0\xff")
        (ratings / "Categorical" / "Ses01F_impro01_e1_cat.txt").write_text(
            "Ses01F_impro01_F000 :Anger; ()\n"
        )
        for dialog in (f"Ses0{session}F_impro01", f"Ses0{session}M_script01_1b"):
            waves = folder / "sentences" / "wav" / dialog
            waves.mkdir(parents=True)
            (waves / f"._{dialog}_F000.wav").write_bytes(b"\x00\x05\x16\x07")
            lines = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]", ""]
            words = []
            for speaker in "FM":
                for index, emotion in enumerate(EMOTIONS):
                    turn = f"{dialog}_{speaker}{index:03d}"
                    start, end = 6.2901 + index, 8.2357 + index
                    lines += [
                        f"[{start:.4f} - {end:.4f}]\t{turn}\t{emotion}\t[2.5000, 2.5000, 2.5000]",
                        "C-E2:\tNeutral;\t()",
                        "A-E3:\tval 3; act 2; dom  2;\t()",
                        "",
                    ]
                    words.append(
                        f"{turn} [{start:08.4f}-{end:08.4f}]: Excuse me. [LAUGHTER] {index}"
                    )
                    write_tone(waves / f"{turn}.wav", 200.0 + index, seconds=0.1)
                words.append(f"{speaker}: [BREATHING] hm")
            (ratings / f"{dialog}.txt").write_text("\n".join(lines) + "\n")
            (spoken / f"{dialog}.txt").write_text("\n".join(words) + "\n")
    return root


def test_the_licensed_layout_becomes_a_manifest(corpus, tmp_path, capsys):
    out = tmp_path / "elsewhere" / "iemocap.jsonl"
    assert run_command(main, [str(corpus), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "100 utterances: angry 20, happy 40, neutral 20, sad 20" in printed.out
    assert "5531" in printed.err
    assert len(printed.err.splitlines()) == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    first = rows[0]
    assert (first["label"], first["emotion"]) == ("angry", "ang")
    assert (first["speaker"], first["session"]) == ("Ses01F", "1")
    assert first["text"] == "Excuse me. 0"
    assert first["duration"] == pytest.approx(1.9456)
    # Who speaks is told by the turn, not by the dialogue's name.
    assert {row["speaker"] for row in rows if row["dialog"].startswith("Ses03M")} == {
        "Ses03F",
        "Ses03M",
    }
    assert {row["label"] for row in rows if row["emotion"] == "exc"} == {"happy"}

    labels = found_labels([out])
    assert labels == ("angry", "happy", "neutral", "sad")
    found = read_manifest(out, labels, {})
    assert all(row.audio.is_file() for row in found)
    tested = []
    for fold in range(5):
        data = DataConfig(folds="iemocap", fold=fold, shippable_only=False)
        split = split_rows(found, data, 0, labels)
        sessions = {row.columns["session"] for row in split.test}
        assert sessions == {str(fold + 1)}
        speakers = [{row.group for row in part} for part in (split.train, split.dev, split.test)]
        assert (len(speakers[0]), len(speakers[1]), len(speakers[2])) == (7, 1, 2)
        assert len(set.union(*speakers)) == 10
        tested += [row.audio for row in split.test]
    assert sorted(tested) == sorted(row.audio for row in found)


def test_another_folder_is_refused_in_one_line(corpus, tmp_path, capsys):
    assert run_command(main, [str(tmp_path), "--out", str(tmp_path / "m.jsonl")]) == 2
    assert "Session1" in capsys.readouterr().err
    turn = "Ses02F_impro01_M003"
    (corpus / "Session2/sentences/wav/Ses02F_impro01" / f"{turn}.wav").unlink()
    assert run_command(main, [str(corpus), "--out", str(tmp_path / "m.jsonl")]) == 2
    assert turn in capsys.readouterr().err
    assert not (tmp_path / "m.jsonl").exists()
