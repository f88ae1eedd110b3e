"""The measurement of other languages, on lines that espeak-ng says and on made scores."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.support import multilingual
from tests.support.needs import needs
from tests.support.tiny_package import write_marked_package
from tools.measurements.languages.__main__ import WAYS, comparisons, figures, main
from tools.measurements.languages.speak import LOCALES, placed, read_lines
from tools.measurements.languages.speak import main as speak
from turbo_stream.cli.command import run_command

ESPEAK = "espeak-ng -v {language} -w {out} {text}"


def test_both_classes_say_about_as_much() -> None:
    lines = read_lines()
    assert [line["label"] for line in lines] == ["directed", "not_directed"] * 60
    for language in LOCALES:
        texts = [line[language] for line in lines]
        assert len(set(texts)) == len(texts)
        for sizes in ([len(text.split()) for text in texts], [len(text) for text in texts]):
            directed, other = np.array(sizes).reshape(-1, 2).T
            assert abs(directed.mean() - other.mean()) < 0.2 * other.mean(), language


def test_a_pair_has_one_level_and_every_clip_its_own_noise() -> None:
    tone = np.pad(np.sin(np.arange(16_000) / 9), (5_000, 9_000)).astype(np.float32)
    one, other, elsewhere = placed(tone, 3, 6), placed(0.2 * tone, 3, 7), placed(tone, 4, 8)
    assert abs(len(one) - (16_000 + 4_800 + 8_000)) < 5 and len(one) == len(other)
    assert np.allclose(one, other, atol=0.02) and not np.array_equal(one, other)
    assert not np.allclose(one, elsewhere, atol=0.02)


@needs("espeak-ng")
def test_lines_are_spoken_heard_and_scored(tmp_path: Path) -> None:
    folder = tmp_path / "spoken"
    said = CliRunner().invoke(
        speak, ["--out", str(folder), "--say", ESPEAK, "--language", "de", "--lines", "4"]
    )
    assert said.exit_code == 0, said.output
    whisper = multilingual.build(tmp_path / "whisper", tokens=12)
    package = write_marked_package(tmp_path / "package")
    options = ["--asr", str(whisper), "--model", str(package), "--out", str(tmp_path / "s.jsonl")]
    done = CliRunner().invoke(main, [str(folder / "de.jsonl"), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [(row["way"], row["n"]) for row in found["ways"]] == [(way, [2, 2]) for way in WAYS]
    rows = (tmp_path / "s.jsonl").read_text("utf-8")
    assert any(json.loads(row)["english"] for row in rows.splitlines())
    (german,) = found["languages"]
    assert german["language"] == "de" and german["words_wrong"] > 0, "it was never trained"
    assert 1 < german["times_as_long"] < 20, "a translation takes part of the time"

    again = CliRunner().invoke(main, [str(folder / "de.jsonl"), *options])
    assert json.loads(again.stdout) == found
    assert (tmp_path / "s.jsonl").read_text("utf-8") == rows, "nothing is heard a second time"


def test_what_does_not_speak_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(speak, ["--out", str(tmp_path), "--say", "no-such-voice {text}"]) != 0
    assert "no-such-voice" in capsys.readouterr().err


def test_figures_on_scores_that_are_known() -> None:
    def row(label: str, number: int, **scores: float) -> dict:
        every = dict.fromkeys(WAYS, 1.0) | {"as heard": 0.5} | scores
        return {"lang": "es", "label": label, "group": f"pair{number}", "scores": every}

    rows = [row("directed", n, translation=0.9, sound=n % 2, length=2.0) for n in range(20)]
    rows += [row("not_directed", n, translation=0.1, sound=n % 2, length=1.0) for n in range(20)]
    found = {one["way"]: one for one in figures(rows, 0.5)}
    assert found["translation"]["eer"] == [0.0, [0.0, 0.0]]
    assert found["sound"]["eer"][0] == found["as heard"]["auc"][0] == 0.5
    assert found["sound"]["false_accept"][0] == found["sound"]["false_reject"][0] == 0.5
    assert found["has words"]["false_accept"][0] == 1.0
    assert found["length"]["auc"][0] == 1.0, "a set whose commands are longer gives itself away"

    spanish = [
        row | {"text": "apaga la luz", "heard": "apaga luz", "cpu_ms": 150.0, "translate_ms": 50.0}
        for row in rows
    ]
    french = [{**row, "lang": "fr", "text": None, "heard": "", "cpu_ms": 1.0} for row in rows]
    without = {way: 0.5 for way in WAYS if way != "true English"}
    french = [{**row, "scores": without} for row in french]
    one, other = comparisons(spanish + french)
    assert one["eer_gain"] == [0.5, [0.5, 0.5]]
    assert one["words_wrong"] == pytest.approx(1 / 3) and one["times_as_long"] == 1.5
    assert other["words_wrong"] is None and other["times_as_long"] is None
    assert other["eer_gain"][0] == 0.0
    assert {row["way"] for row in figures(french, 0.5)} == set(without), "nobody said it in English"
