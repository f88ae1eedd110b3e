"""The recorder and the replay give what the product itself decides; the figures count it."""

import json
import types
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from tests.support.paths import KITCHEN, ROOT
from tools.measurements.addressing import peers as engines
from tools.measurements.addressing.__main__ import main
from tools.measurements.addressing.figures import Rate, Share
from tools.measurements.addressing.peers import apart
from tools.measurements.addressing.record import Remembering, record
from tools.measurements.addressing.record import main as recorder
from tools.measurements.addressing.replay import Setting, decide, read
from tools.measurements.addressing.report import at_rate, collections
from tools.measurements.addressing.sentences import NEAR, rows
from tools.measurements.addressing.streams import join, plans
from tools.measurements.vad.scenes import read_manifest
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.pipeline import Models
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.settings import Settings

WHISPER = str(ROOT / "tests" / "assets" / "whisper-kitchen")
MODES = ("named", "named-or-sure", "open")

CLIPS = {
    0: ("coffee_commands", "directed", None),
    1: ("acted_dialogue", "not_directed", None),
    5: ("wake_words", "directed", "tomorrow"),
    6: ("acted_dialogue", "not_directed", None),
    13: ("word_mentions", "not_directed", "bridge"),
}
"""Spans of the kitchen's scene, and what they stand for."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, kitchen_spans) -> Path:
    """A folder with `speech.jsonl` and `noise.jsonl`."""
    folder = tmp_path_factory.mktemp("addressing")
    samples, rate = soundfile.read(KITCHEN)
    lines = []
    for number, (of_set, label, name) in CLIPS.items():
        span = kitchen_spans[number]
        start, stop = (round(rate * (span[key] + more)) for key, more in EDGES)
        soundfile.write(folder / f"{number}.flac", samples[start:stop], rate)
        row = {"set": of_set, "label": label, "device_name": name, "text": span["text"]}
        lines.append({"audio_filepath": f"{number}.flac", "lang": "en", **row})
    (folder / "speech.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines))
    noise = np.random.default_rng(0).normal(0, 0.01, 4 * rate)
    soundfile.write(folder / "noise.flac", noise, rate)
    row = {"audio_filepath": "noise.flac", "kind": "kitchen", "duration": 4.0}
    (folder / "noise.jsonl").write_text(json.dumps(row) + "\n")
    return folder


EDGES = (("start_s", -0.3), ("end_s", 0.4))


@pytest.fixture(scope="module")
def recorded(corpus: Path) -> Path:
    """What the recorder wrote of it."""
    done = CliRunner().invoke(
        recorder,
        [
            *(str(corpus / "speech.jsonl"), "--noise", str(corpus / "noise.jsonl")),
            *("--asr", WHISPER, "--out", str(corpus / "recorded")),
            *("--name", "mom", "--name", "bridge", "--noise-rounds", "2"),
        ],
    )
    assert done.exit_code == 0, done.output
    return corpus / "recorded"


def test_the_replay_decides_as_the_product_does(corpus: Path, recorded: Path) -> None:
    models = Models.load(Settings(asr=WHISPER))
    noises = read_manifest(corpus / "noise.jsonl")
    plan = next(
        one
        for one in plans(read_manifest(corpus / "speech.jsonl"), ("mom", "bridge"), None)
        if one.rows[0]["set"] == "acted_dialogue"
    )
    pcm, _ = join(plan, noises)
    stored = read(recorded / f"{plan.name}.jsonl")
    seen = set()
    for name, mode, threshold in (
        *((name, mode, at) for name in plan.names for mode in MODES for at in (0.05, 0.9)),
        *(("", "open", at) for at in (0.05, 0.9)),
    ):
        pipeline = models.stream(
            names=(name,) if name else (), address=mode, conversation_s=8, threshold=threshold
        )
        events = [*pipeline.process(pcm), *pipeline.flush()]
        ours = [event for event in events if isinstance(event, Utterance)]
        again = [event for _, event in decide(stored, name, Setting(mode, threshold, 8))]
        assert len(again) == len(ours) > 1
        for one, other in zip(again, ours, strict=True):
            assert (one.decision, one.evidence) == (other.decision, other.evidence)
            assert one.directed_probability == pytest.approx(other.directed_probability, abs=1e-6)
            seen.add((one.decision, one.evidence))
    assert ("accepted", "name") in seen, seen


def test_the_tables_count_what_was_recorded(recorded: Path, tmp_path: Path) -> None:
    found = collections(recorded)
    assert {(one.set, one.condition) for one in found} == {
        *((of_set, "clean") for of_set, _, _ in CLIPS.values()),
        ("noise", "clean"),
    }
    done = CliRunner().invoke(
        main, ["--recorded", str(recorded), "--out", str(tmp_path), "--new", "bridge"]
    )
    assert done.exit_code == 0, done.output
    text = (tmp_path / "addressing.md").read_text("utf-8")
    assert done.output.strip() == text.strip()
    # "What is the weather tomorrow?" calls a device of that name.
    assert "| wake_words, clean | 0.0 % (0.0–79.3) |" in text
    # "The bridge will open" mentions one.
    assert "| word_mentions, clean | 0.0 % (0.0–79.3) |" in text
    assert (tmp_path / "addressing.png").stat().st_size > 5000
    for line in (tmp_path / "errors.jsonl").read_text("utf-8").splitlines():
        assert json.loads(line)["mode"] in MODES


def test_streams_are_the_same_each_time_and_made_once(corpus: Path, recorded: Path) -> None:
    rows_of = read_manifest(corpus / "speech.jsonl")
    noises = read_manifest(corpus / "noise.jsonl")
    for snr_db in (None, 10.0):
        first, second = (
            [join(plan, noises)[0] for plan in plans(rows_of, (), snr_db)] for _ in "ab"
        )
        assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    times = {path: path.stat().st_mtime_ns for path in recorded.iterdir()}
    done = CliRunner().invoke(
        recorder,
        [str(corpus / "speech.jsonl"), "--asr", WHISPER, "--out", str(recorded)],
    )
    assert done.exit_code == 0 and not done.output, done.output
    assert {path: path.stat().st_mtime_ns for path in recorded.iterdir()} == times


def test_a_sound_is_read_once_for_all_names(corpus: Path) -> None:
    class Counting(WhisperRecognizer):
        reads = 0

        def transcribe(self, pcm):
            self.reads += 1
            return super().transcribe(pcm)

    counting = Counting(WHISPER)
    models = Models.load(Settings(asr=Remembering(counting)))
    counting.reads = 0
    pcm = soundfile.read(corpus / "1.flac", dtype="int16")[0]
    lines = record(models, np.pad(pcm, 16_000), [], ("mom", "bridge"))
    heard = [line for line in lines if line["kind"] == "utterance"]
    assert heard and counting.reads == len(heard)
    assert set(heard[0]["of"]) == {"", "mom", "bridge"}


def test_an_engine_is_counted_in_the_same_streams(
    corpus: Path, recorded: Path, tmp_path: Path, monkeypatch
) -> None:
    class Loud:
        frame_length = 512

        def process(self, frame) -> int:
            return 0 if np.abs(frame.astype(int)).max() > 1000 else -1

        def delete(self) -> None:
            pass

    package = types.SimpleNamespace(create=lambda keywords, sensitivities: Loud())
    monkeypatch.setattr(engines, "import_module", {"pvporcupine": package}.__getitem__)
    arguments = [
        *(str(corpus / "speech.jsonl"), "--noise", str(corpus / "noise.jsonl")),
        *("--out", str(tmp_path / "heard"), "--engine", "porcupine", "--word", "tomorrow"),
        *("--set", "wake_words", "--set", "acted_dialogue", "--noise-rounds", "1"),
    ]
    for _ in "twice":
        done = CliRunner().invoke(engines.main, arguments)
        assert done.exit_code == 0, done.output
    lines = (tmp_path / "heard" / "porcupine.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 3
    done = CliRunner().invoke(
        main,
        [
            *("--recorded", str(recorded), "--out", str(tmp_path)),
            *("--peers", str(tmp_path / "heard")),
        ],
    )
    assert done.exit_code == 0, done.output
    assert "| porcupine | 0.5 | tomorrow | wake_words | clean | 0.0 % (0.0–79.3) | – |" in (
        done.output
    )
    assert apart([0, 100, 31_999, 32_000, 70_000]) == [0, 32_000, 70_000]


def test_ranges() -> None:
    assert Rate(0, 2).range() == pytest.approx((0, 3.689 / 2), rel=1e-3)
    assert Rate(10, 2).range() == pytest.approx((4.795 / 2, 18.390 / 2), rel=1e-3)
    assert Share(0, 10).range() == pytest.approx((0, 0.2775), rel=1e-3)
    assert Share(3, 100).range() == pytest.approx((0.01025, 0.08452), rel=1e-3)
    points = [
        {"threshold": 0.1, "an_hour": 9.0, "missed": 0.1},
        {"threshold": 0.5, "an_hour": 2.0, "missed": 0.3},
    ]
    assert at_rate(points, 2.0) is points[1] and at_rate(points, 1.0) is None


def test_sentences_call_and_mention_each_name() -> None:
    found = list(rows())
    calls = [row for row in found if row["set"] == "built_calls"]
    assert len(calls) == 14 * 3 * len(NEAR) and {row["place"] for row in calls} == {
        "front",
        "end",
        "hey",
    }
    for row in found:
        said = row["device_name"] in row["text"].lower()
        assert said == (row["set"] != "built_near"), row
        assert (row["label"] == "directed") == (row["set"] == "built_calls")
    assert found == list(rows()) != list(rows(seed=2))


def test_what_is_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{}\n", "utf-8")
    with pytest.raises(InputError, match="not of the recorder"):
        read(tmp_path / "x.jsonl")
