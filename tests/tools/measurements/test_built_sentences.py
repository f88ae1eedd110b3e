"""The built sentences are said by every English voice, whatever they are to the device."""

import json
from collections import Counter
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("onnxruntime")
pytest.importorskip("soxr", reason="speech is resampled with the train extra")

from tests.tools.corpus.fake_kokoro import fake_kokoro
from tools.corpus.kokoro import load_kokoro
from tools.measurements.addressing.built import assigned, main
from tools.measurements.addressing.sentences import rows
from tools.measurements.vad.scenes import read_manifest
from turbo_stream.cli.command import run_command


@pytest.fixture
def kokoro(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    load_kokoro.cache_clear()
    return fake_kokoro(tmp_path / "kokoro", monkeypatch)


def test_no_voice_goes_with_what_a_sentence_is_to_the_device() -> None:
    of_set: dict[str, Counter[str]] = {}
    for row, voice in assigned(list(rows())):
        assert voice.blend is None
        of_set.setdefault(row["set"], Counter())[voice.engine_voice] += 1
    assert set(of_set) == {"built_calls", "built_mentions", "built_near"}
    for counts in of_set.values():
        assert len(counts) == 28
        assert max(counts.values()) - min(counts.values()) <= 1


def test_what_is_said_already_is_not_said_again(kokoro: Path, tmp_path: Path, capsys) -> None:
    texts = ["Friday, stop.", "He told Friday to stop.", "Fried egg, stop."]
    sentences = tmp_path / "sentences.jsonl"
    every = [
        {"set": f"s{n}", "text": text, "device_name": "friday"} for n, text in enumerate(texts)
    ]
    sentences.write_text("".join(json.dumps(row) + "\n" for row in every))
    arguments = ["--kokoro", str(kokoro), "--out", str(tmp_path / "out"), str(sentences)]
    assert run_command(main, arguments) == 0
    assert json.loads(capsys.readouterr().out)["sentences"] == 3
    found = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert [row["text"] for row in found] == texts
    for row in found:
        info = soundfile.info(row["audio_filepath"])
        assert info.samplerate == 16_000 and row["duration"] == pytest.approx(
            info.duration, abs=1e-3
        )
    first, second = (Path(row["audio_filepath"]) for row in found[:2])
    said, manifest = first.read_bytes(), (tmp_path / "out" / "manifest.jsonl").read_bytes()
    second.unlink()
    stamp = first.stat().st_mtime_ns
    assert run_command(main, arguments) == 0
    assert first.stat().st_mtime_ns == stamp and first.read_bytes() == said
    assert (tmp_path / "out" / "manifest.jsonl").read_bytes() == manifest
    # Another sentence in the same place is another recording.
    every[0]["text"] = "Friday, what time is it?"
    sentences.write_text("".join(json.dumps(row) + "\n" for row in every))
    assert run_command(main, arguments) == 0
    anew = read_manifest(tmp_path / "out" / "manifest.jsonl")
    assert anew[0]["audio_filepath"] != found[0]["audio_filepath"]
    assert anew[0]["duration"] > found[0]["duration"]


def test_what_cannot_be_said_is_told(kokoro: Path, tmp_path: Path, capsys) -> None:
    (tmp_path / "s.jsonl").write_text(json.dumps({"set": "s", "text": "12345"}) + "\n")
    arguments = ["--kokoro", str(kokoro), "--out", str(tmp_path / "out"), str(tmp_path / "s.jsonl")]
    assert run_command(main, arguments) == 2
    assert "Kokoro cannot say '12345'" in capsys.readouterr().err
