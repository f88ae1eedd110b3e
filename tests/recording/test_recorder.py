"""Recordings as files on a disk: what is kept, what is not, and for how long."""

import json
import os
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer, make_pipeline
from turbo_stream import InputError, Pipeline
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.recording.config import RecordingConfig
from turbo_stream.recording.recorder import Recorder
from turbo_stream.segmentation.segment import Segment

RATE = 16_000


class Foreign(ScriptedRecognizer):
    """Hears Spanish."""

    def transcribe(self, pcm: np.ndarray) -> Transcript:
        return replace(super().transcribe(pcm), language="es")


def segment(number: int = 0, seconds: float = 1.0, **changes) -> Segment:
    noise = np.random.default_rng(number).integers(-2000, 2000, int(seconds * RATE))
    pcm = noise.astype(np.int16)
    return Segment(number, 0, len(pcm), len(pcm), pcm, **changes)


def pipeline(probability: float = 0.9, text: str = "turn on the lights", **options) -> Pipeline:
    return make_pipeline(ScriptedRecognizer(text), LoudnessDetector(always=probability), **options)


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def sounds(folder: Path) -> list[Path]:
    return sorted((folder / "unlabelled").iterdir())


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def record(tmp_path: Path, said: list[str]):
    """Return a function that records decisions into `tmp_path / "own"`."""

    def run(*decided: tuple[Pipeline, Segment], names=(), **config) -> Path:
        settings = RecordingConfig(tmp_path / "own", **config)
        with Recorder(settings, say=said.append, names=names, patient=True) as recorder:
            for one, part in decided:
                one.on_decision = recorder.note
                one.decide(part)
        return tmp_path / "own"

    return run


def test_accepted_speech_is_kept_as_it_was_decided(record, said) -> None:
    folder = record((pipeline(), segment(7, 1.5)), names=("friday",))
    (row,) = rows(folder)
    pcm, rate = soundfile.read(folder / row["audio_filepath"], dtype="int16")
    assert rate == RATE and np.array_equal(pcm, segment(7, 1.5).pcm)
    assert row["audio_filepath"].startswith("unlabelled/2")
    assert (row["duration"], row["decision"], row["directed_probability"]) == (1.5, "accepted", 0.9)
    assert (row["text_used"], row["asr"]["backend"]) == ("turn on the lights", "scripted")
    assert row["device_name"] == "friday"
    assert "label" not in row and "text" not in row, "a decision is not the truth"
    assert said == []


def test_rejected_speech_is_kept_only_if_asked_for_and_without_its_text(record) -> None:
    folder = record((pipeline(0.1), segment()))
    assert rows(folder) == [] and sounds(folder) == []
    folder = record((pipeline(0.1), segment()), rejected=True)
    (row,) = rows(folder)
    assert row["decision"] == "rejected" and "text_used" not in row
    shown = record((pipeline(0.1, show_rejected=True), segment(1)), rejected=True)
    assert rows(shown)[1]["text_used"] == "turn on the lights"


def test_dropped_speech_is_never_kept(record) -> None:
    folder = record((pipeline(), segment(dropped="too_short")), rejected=True)
    assert rows(folder) == [] and sounds(folder) == []


def test_a_text_that_was_not_made_is_not_taken_for_silence(record) -> None:
    deaf = make_pipeline(ScriptedRecognizer(error=RuntimeError()), LoudnessDetector(always=0.9))
    (row,) = rows(record((deaf, segment())))
    assert "text_used" not in row and row["degraded"] == ["asr_failed"]


def test_words_of_another_language_are_not_taken_for_what_was_read(record) -> None:
    spanish = make_pipeline(Foreign("enciende la luz"), LoudnessDetector(always=0.9))
    (row,) = rows(record((spanish, segment())))
    assert "text_used" not in row and row["decision"] == "accepted"


def test_words_in_the_language_of_the_package_are_kept(tmp_path: Path, said) -> None:
    spanish = make_pipeline(Foreign("enciende la luz"), LoudnessDetector(always=0.9))
    english = pipeline()
    with Recorder(RecordingConfig(tmp_path / "own"), say=said.append, patient=True) as recorder:
        recorder.language = "es-MX"
        spanish.on_decision = english.on_decision = recorder.note
        spanish.decide(segment())
        english.decide(segment(1))
    texts = [row.get("text_used") for row in rows(tmp_path / "own")]
    # Who does not say in which language was told it, or hears one alone.
    assert texts == ["enciende la luz", "turn on the lights"]


def test_nothing_but_the_owner_can_read_it_and_no_name_holds_words(record) -> None:
    folder = record((pipeline(text="secret words"), segment()))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert modes.pop("unlabelled") == 0o700 and set(modes.values()) == {0o600}
    assert not any("secret" in name or "_" in name for name in modes)


def test_a_folder_that_was_there_keeps_its_mode(record, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir(mode=0o755)
    folder = record((pipeline(), segment()))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((folder / "unlabelled").stat().st_mode) == 0o700


def test_the_manifest_is_one_of_turbo_eval(record) -> None:
    folder = record((pipeline(), segment()), (pipeline(), segment(1)))
    items = read_manifest(folder / "manifest.jsonl")
    assert [item.path.is_file() for item in items] == [True, True]


def test_a_persons_sorting_becomes_the_label(record) -> None:
    folder = record((pipeline(), segment(0)), (pipeline(), segment(1)), (pipeline(), segment(2)))
    first, second, third = sounds(folder)
    (folder / "directed" / "anna").mkdir(parents=True)
    (folder / "not_directed").mkdir()
    first.rename(folder / "directed" / "anna" / first.name)
    second.rename(folder / "not_directed" / second.name)
    third.unlink()
    record()
    assert [(row["audio_filepath"], row["label"]) for row in rows(folder)] == [
        (f"directed/anna/{first.name}", "directed"),
        (f"not_directed/{second.name}", "not_directed"),
    ]


def test_what_a_person_wrote_into_the_manifest_stays(record) -> None:
    folder = record((pipeline(), segment(0)), (pipeline(), segment(1)))
    written = [row | {"label": "directed", "text": "lights, please"} for row in rows(folder)]
    # As an editor leaves it: without an end of the last line.
    text = "\n".join(json.dumps(row) for row in written)
    (folder / "manifest.jsonl").write_text(text)
    record((pipeline(), segment(2)))
    assert rows(folder)[:2] == written and len(rows(folder)) == 3


def test_a_crash_in_the_middle_of_a_line_loses_that_line_only(record) -> None:
    folder = record((pipeline(), segment(0)), (pipeline(), segment(1)))
    manifest = folder / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-40])
    (folder / "unlabelled" / ".20260101T000000.000Z-abcdef.flac.partial").write_bytes(b"half")
    record((pipeline(), segment(2)))
    assert len(rows(folder)) == 2
    assert all(path.suffix == ".flac" for path in sounds(folder))


def test_a_manifest_that_is_none_is_not_touched(record, tmp_path: Path) -> None:
    folder = record((pipeline(), segment()))
    (folder / "manifest.jsonl").write_text("a letter\nto my aunt\n")
    with pytest.raises(InputError, match="line 1 is no JSON object"):
        record()
    assert (folder / "manifest.jsonl").read_text() == "a letter\nto my aunt\n"


def test_the_oldest_goes_when_there_is_no_more_room(record) -> None:
    parts = [(pipeline(), segment(number)) for number in range(8)]
    folder = record(*parts, megabytes=0.1)  # some 24 kB each
    kept = sounds(folder)
    assert sum(path.stat().st_size for path in kept) <= 100_000 and len(kept) >= 2
    assert [row["audio_filepath"] for row in rows(folder)] == [
        f"unlabelled/{path.name}" for path in kept
    ]
    last, _ = soundfile.read(kept[-1], dtype="int16")
    assert np.array_equal(last, segment(7).pcm)


def test_what_is_too_old_goes_but_not_what_a_person_has_sorted(record) -> None:
    folder = record((pipeline(), segment(0)), (pipeline(), segment(1)), (pipeline(), segment(2)))
    first, second, third = sounds(folder)
    (folder / "directed").mkdir()
    first = first.rename(folder / "directed" / first.name)
    long_ago = time.time() - 3 * 86_400
    for path in (first, second):
        os.utime(path, (long_ago, long_ago))
    record(days=2)
    assert sounds(folder) == [third] and first.exists()
    assert [row.get("label") for row in rows(folder)] == ["directed", None]


def test_a_full_disk_is_told_once_and_stops_nothing(record, said, monkeypatch) -> None:
    from turbo_stream.recording import _folder as module

    real, calls = module.write_private, []

    def write(path, data):
        calls.append(path)
        if len(calls) < 4:
            raise OSError(28, "No space left on device")
        real(path, data)

    monkeypatch.setattr(module, "write_private", write)
    parts = [(pipeline(), segment(number)) for number in range(4)]
    folder = record(*parts)
    assert said == [
        "`folder`: utterance 0 was not recorded (No space left on device); trying on in silence"
    ]
    assert len(rows(folder)) == len(sounds(folder)) == 1


def test_two_programs_do_not_share_a_folder(record, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path;"
        "from turbo_stream.recording._folder import RecordingFolder;"
        f"RecordingFolder(Path({str(tmp_path / 'own')!r}), max_bytes=10**9, max_days=None);"
        "print('open', flush=True); sys.stdin.read()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(InputError, match="another program records into it"):
            record()
        other.kill()
    record((pipeline(), segment()))


@pytest.mark.parametrize(
    "option", [["--record-rejected"], ["--record-days", "3"], ["--record-mb", "1000"]]
)
def test_nothing_is_recorded_by_halves_of_a_wish(option, capsys) -> None:
    from turbo_stream.cli.command import run_command
    from turbo_stream.cli.listen import listen

    assert run_command(listen, ["no-such-file.wav", *option]) == 2
    assert (
        f"{option[0]} was given, but nothing is recorded without --record;"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("limits", [{"days": 0}, {"days": -1}, {"megabytes": 0}])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, limits) -> None:
    with pytest.raises(InputError, match="give a number above 0"):
        RecordingConfig(tmp_path, **limits)


def test_a_folder_that_cannot_be_is_refused_in_one_line(tmp_path: Path, said) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written") as refused:
        Recorder(RecordingConfig(tmp_path / "file"), say=said.append)
    assert "\n" not in str(refused.value)


def test_a_whole_stream_is_recorded_once_each(record, tmp_path: Path, excerpt) -> None:
    pipeline = make_pipeline(detector=LoudnessDetector(always=0.9))
    with Recorder(RecordingConfig(tmp_path / "own"), say=print, patient=True) as recorder:
        pipeline.on_decision = recorder.note
        events = pipeline.process(excerpt) + pipeline.flush()
    spoken = [event for event in events if event.kind == "utterance"]
    assert len(rows(tmp_path / "own")) == len(spoken) == 3
