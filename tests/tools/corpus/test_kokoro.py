"""The natural voices: folds, the engine on a graph that hums, a corpus of it alone."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

pytest.importorskip("onnxruntime")
pytest.importorskip("pyroomacoustics", reason="rooms need the train extra")

from tests.tools.corpus.fake_kokoro import fake_kokoro
from tests.tools.corpus.nuisances import OF_SCENE
from tools.build_rej_corpus import main
from tools.corpus.kokoro import KOKORO_RATE, Kokoro, load_kokoro
from tools.corpus.kokoro_voices import KOKORO_VOICES
from tools.corpus.own_lines import own_lines
from tools.corpus.own_texts import own_sentences
from tools.corpus.plan import Planner
from tools.corpus.text_collections import without_repeats
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

ALONE = ("--voices", "kokoro", "--workers", "1", "--seed", "2", "--hours", "0.002")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    load_kokoro.cache_clear()
    return fake_kokoro(tmp_path / "kokoro", monkeypatch)


def build(out: Path, folder: Path) -> list[dict]:
    done = CliRunner().invoke(main, ["--out", str(out), "--kokoro", str(folder), *ALONE])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in (out / "manifest.jsonl").open()]


def test_no_voice_is_on_two_sides_alone_or_in_a_blend() -> None:
    folds: dict[str, set[str]] = {}
    for voice in KOKORO_VOICES:
        for name in (voice.engine_voice, *(voice.blend or ())[:1]):
            folds.setdefault(name, set()).add(voice.fold)
    assert len(folds) == 54
    assert sum(name[0] in "ab" for name in folds) == 28
    assert {len(sides) for sides in folds.values()} == {1}
    names = [voice.name for voice in KOKORO_VOICES]
    assert len(set(names)) == len(names)
    # Namesakes of two languages may be one speaker.
    stems: dict[str, set[str]] = {}
    for name, sides in folds.items():
        stems.setdefault(name.split("_")[1], set()).update(sides)
    assert {len(sides) for sides in stems.values()} == {1}


def test_speed_voice_and_blend_are_heard(folder: Path) -> None:
    engine = load_kokoro(folder)
    plain, blended = KOKORO_VOICES[0], next(v for v in KOKORO_VOICES if v.blend)
    slow = engine.say("turn on the light", plain, 0.8)
    quick = engine.say("turn on the light", plain, 1.2)
    assert len(slow) == pytest.approx(1.5 * len(quick), rel=0.01)
    assert len(slow) == pytest.approx(19 * 1500 / 0.8, rel=0.01)

    def hertz(samples: np.ndarray) -> float:
        return float(np.argmax(np.abs(np.fft.rfft(samples))) * KOKORO_RATE / len(samples))

    one, other = (
        next(v for v in KOKORO_VOICES if v.engine_voice == name and v.blend is None)
        for name in (blended.engine_voice, (blended.blend or ("",))[0])
    )
    low, between, high = (hertz(engine.say("hello", v, 1.0)) for v in (one, blended, other))
    assert min(low, high) <= between <= max(low, high)
    assert len(engine.say("...;", plain, 1.0)) != len(slow)
    assert len(engine.say("", plain, 1.0)) == 0


def test_a_corpus_of_natural_voices_alone_is_the_same_each_time(
    folder: Path, tmp_path: Path
) -> None:
    rows = build(tmp_path / "once", folder)
    assert {row["engine"] for row in rows} == {"kokoro"}
    assert all("Apache-2.0 (Kokoro-82M), MIT" in row["license"] for row in rows)
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert {first["label"], second["label"]} == {"directed", "not_directed"}
        for same in ("pair", "voice", "pitch", "fold", *OF_SCENE):
            assert first[same] == second[same]
    build(tmp_path / "again", folder)
    for row in rows:
        path = row["audio_filepath"]
        sound, rate = soundfile.read(tmp_path / "once" / path)
        assert rate == 16_000
        assert np.abs(sound).max() > 0.01
        assert (tmp_path / "once" / path).read_bytes() == (tmp_path / "again" / path).read_bytes()


def test_nothing_but_words_and_ways_of_speaking_tells_the_classes_apart() -> None:
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    items = without_repeats(own_sentences() + own_lines())
    clips = list(Planner(items, 1, voices=KOKORO_VOICES).clips(1.0))
    plain = [clip for clip in clips if clip.style is None]
    assert {clip.voice.engine for clip in plain} == {"kokoro"}
    features = np.array(
        [
            (
                len(clip.item.text) / clip.rate,
                clip.pitch,
                clip.level_db,
                clip.voice.blend is None,
                clip.item.device_name is None,
                clip.scene.noise is None,
            )
            for clip in plain
        ],
        float,
    )
    features = (features - features.mean(0)) / features.std(0)
    directed = [clip.item.label == "directed" for clip in plain]
    scores = cross_val_predict(
        LogisticRegression(),
        features,
        directed,
        groups=[clip.number // 2 for clip in plain],
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]
    assert roc_auc_score(directed, scores) < 0.56


def test_what_is_missing_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> str:
        with pytest.raises(InputError) as refusal:
            Kokoro(folder)
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    with monkeypatch.context() as without:
        without.setitem(sys.modules, "hibari.g2p", None)
        assert "hibari-tts" in refused()
    (folder / "voices" / "af_heart.bin").write_bytes(b"1234567")
    assert "af_heart.bin is no table" in refused()
    (folder / "voices" / "af_heart.bin").unlink()
    assert "af_heart.bin is missing" in refused()
    (folder / "vocab.json").write_text("[]")
    assert "holds no `vocab`" in refused()
    (folder / "kokoro.onnx").write_bytes(b"nothing")
    assert "kokoro.onnx is no graph" in refused()
    (folder / "kokoro.onnx").unlink()
    assert "kokoro.onnx is missing" in refused()


def test_voices_that_are_not_there_end_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    for given, told in (
        (("--voices", "kokoro"), "--kokoro DIR"),
        (("--voices", "classic", "--kokoro", str(tmp_path)), "--kokoro DIR"),
        (("--voices", "kokoro", "--kokoro", str(tmp_path)), "kokoro.onnx is missing"),
    ):
        load_kokoro.cache_clear()
        out = ["--out", str(tmp_path / "corpus"), "--hours", "0.001"]
        assert run_command(main, [*out, *given]) == 2
        error = capsys.readouterr().err.strip()
        assert told in error
        assert "\n" not in error
