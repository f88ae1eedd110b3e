import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

pytest.importorskip("scipy", reason="cuts are laid on coloured noise (train extra)")

from tests.support.needs import needs
from tools.corpus.scene_sound import speak
from tools.judge.word_cuts.__main__ import main
from tools.judge.word_cuts.alignment import Span, WordAligner
from tools.judge.word_cuts.cut import (
    CutConfig,
    cut_word,
    levels_db,
    mark_folds,
    mark_matched,
    mark_shared,
    own_snr_db,
    tightened,
)
from turbo_stream.cli.command import run_command

RATE = 16_000


def padded(speech: np.ndarray, lead_s: float = 0.3) -> np.ndarray:
    noise = np.random.default_rng(0).standard_normal(len(speech) + int(2 * lead_s * RATE)) * 5e-4
    noise[int(lead_s * RATE) : int(lead_s * RATE) + len(speech)] += speech
    return noise.astype(np.float32)


def as_pcm(wave: np.ndarray) -> np.ndarray:
    return np.rint(wave * 32_767).astype(np.int16)


@pytest.fixture(scope="module")
def aligner() -> WordAligner:
    return WordAligner()


@needs("flite")
def test_a_word_is_found_where_it_was_put(aligner: WordAligner) -> None:
    before, word, after = (
        speak(text, "slt") for text in ("please ask the", "operator", "for help")
    )
    sentence = padded(np.concatenate([before, word, after]))
    start = int(0.3 * RATE) + len(before)
    span = aligner.find(as_pcm(sentence), "please ask the operator for help", "operator")
    assert span is not None
    assert abs(span.start - start) < 0.1 * RATE
    assert abs(span.end - start - len(word)) < 0.1 * RATE


def test_an_invented_name_is_spelled_as_two_words(aligner: WordAligner) -> None:
    assert aligner.spelling("operator") == ("operator",)
    assert aligner.spelling("thinkengine") == ("think", "engine")
    assert aligner.spelling("qxzvw") == ()


@pytest.mark.parametrize("text, word", [("good morning", "operator"), ("qxzvw", "qxzvw")])
def test_a_word_that_is_not_said_is_not_found(aligner: WordAligner, text: str, word: str) -> None:
    assert aligner.find(np.zeros(RATE, np.int16), text, word) is None


def test_silence_at_the_ends_is_no_part_of_the_word() -> None:
    wave = np.zeros(RATE, np.float32)
    wave[4800:9600] = 0.1 * np.sin(np.arange(4800))
    span = tightened(wave, Span(0, RATE), CutConfig())
    assert span is not None
    assert abs(span.start - 4800) <= 320
    assert abs(span.end - 9600) <= 320
    assert tightened(wave, Span(4800, 6400), CutConfig()) is None  # 100 ms are no word


def test_cuts_of_loud_and_soft_words_have_the_same_level_noise_and_margins() -> None:
    config = CutConfig()
    rng = np.random.default_rng(1)
    word = rng.standard_normal(8000) * np.hanning(8000)
    margin = int(config.margin_ms * RATE / 1000)
    for level in (0.3, 0.003):
        wave = padded((word * level).astype(np.float32))
        sound = cut_word(wave, Span(4800, 12_800), 7, config) / 32_768.0
        assert len(sound) == 8000 + 2 * margin
        noise_db = 10 * np.log10(np.square(sound[:margin]).mean())
        word_db = 10 * np.log10(np.square(sound[margin : margin + 8000]).mean())
        assert noise_db == pytest.approx(config.level_db - config.snr_db, abs=2.0)
        assert word_db == pytest.approx(config.level_db + 0.14, abs=0.3)  # noise lies on it


def test_the_noise_of_a_recording_is_measured_without_digital_silence() -> None:
    wave = padded((0.1 * np.sin(np.arange(8000))).astype(np.float32))
    wave[:2000] = 0.0
    assert own_snr_db(wave, Span(4800, 12_800)) == pytest.approx(43.0, abs=1.5)
    assert levels_db(wave).shape == (len(wave) // 160,)


def made_rows() -> list[dict]:
    rows = []
    for caller in range(12):
        rows += [{"group": f"c{caller}", "label": "directed", "text": "raven"}] * 2
        if caller < 8:
            rows.append({"group": f"c{caller}", "label": "not_directed", "text": "raven"})
    return [dict(row) for row in rows]


def test_folds_keep_callers_together_and_words_are_matched() -> None:
    rows = made_rows()
    mark_shared(rows)
    mark_folds(rows, 0.5, 0)
    mark_matched(rows, 0)
    assert {row["group"] for row in rows if not row["shared"]} == {"c8", "c9", "c10", "c11"}
    assert all(row["fold"] == "train" for row in rows if not row["shared"])
    folds = {group: {r["fold"] for r in rows if r["group"] == group} for group in ("c0", "c7")}
    assert all(len(found) == 1 for found in folds.values())
    assert len({row["group"] for row in rows if row["fold"] == "test"}) == 4
    for fold in ("train", "test"):
        kept = [row["label"] for row in rows if row["matched"] and row["fold"] == fold]
        assert kept.count("directed") == kept.count("not_directed") == 4
    again = made_rows()
    mark_shared(again)
    mark_folds(again, 0.5, 0)
    mark_matched(again, 0)
    assert again == rows


@needs("flite")
def test_the_command_cuts_both_classes(tmp_path: Path) -> None:
    rows = []
    for voice in ("slt", "rms"):
        for collection, label, text in (
            ("alert_words", "directed", "operator"),
            ("word_mentions", "not_directed", "she was an operator before the war"),
        ):
            name = f"{voice}_{label}.wav"
            soundfile.write(tmp_path / name, padded(speak(text, voice)), RATE)
            row = {"audio_filepath": name, "label": label, "text": text, "set": collection}
            rows.append({**row, "device_name": "operator", "group": voice})
    rows.append({**rows[0], "text": "something else"})
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out"
    done = CliRunner().invoke(main, [str(manifest), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert '"alert_words: the word was not found": 1' in done.output
    cuts = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert [cut["set"] for cut in cuts].count("alert_words_recut") == 2
    assert {cut["text"] for cut in cuts} == {"operator"}
    for cut in cuts:
        sound, rate = soundfile.read(out / cut["audio_filepath"])
        assert rate == RATE
        assert 0.2 < len(sound) / RATE - 0.5 < 1.0
        assert cut["shared"] is True


def test_a_manifest_without_such_rows_is_refused_in_a_line(tmp_path: Path, capsys) -> None:
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text('{"audio_filepath": "a.wav", "label": "directed"}\n')
    assert run_command(main, [str(manifest), "--out", str(tmp_path / "out")]) == 2
    assert "alert_words, word_mentions" in capsys.readouterr().err
