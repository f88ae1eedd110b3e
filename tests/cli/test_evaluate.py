"""`turbo-eval` as a user runs it: real processes, killed and started again, on Ray, compared."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.tiny_package import write_package

pytestmark = pytest.mark.slow

SPAN = {"start_s": 1.2, "end_s": 2.9, "label": "directed"}
EVERY_SETTING = (
    [],
    ["--threshold", "0.62"],
    ["--operating-point", "strict"],
    ["--vad", "webrtc"],
    ["--follow-up"],
    [
        *("--name", "friday", "--language", "en", "--window-floor", "4", "--window-margin", "2"),
        *("--sound-reject", "0.3", "--turn-model", "none", "--no-partials"),
    ],
)
CHANGES_DECISIONS = {"--threshold", "--operating-point", "--vad", "--follow-up"}

COMMAND = [sys.executable, "-m", "turbo_stream.cli.evaluate"]


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "tiny")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory, kitchen_spans: list[dict]) -> Path:
    """240 clips of the shipped scene, by offset and duration, and one that is missing."""
    from tests.support.paths import KITCHEN

    rows = [
        {
            "audio_filepath": str(KITCHEN),
            "offset": span["start_s"],
            "duration": span["end_s"] - span["start_s"],
            "label": span["label"],
            "text": span["text"],
            "speaker": span["voice"],
            "copy": copy,
        }
        for copy in range(16)
        for span in kitchen_spans
    ]
    rows.insert(100, {"audio_filepath": "missing.wav", "label": "directed"})
    path = tmp_path_factory.mktemp("manifest") / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def untimed(event: dict) -> dict:
    return {key: value for key, value in event.items() if key != "latency_ms"}


def arguments(manifest: Path, out: Path, package: Path, *more: str) -> list[str]:
    model = ["--model", str(package), "--asr", "none"]
    return [*COMMAND, str(manifest), "--out", str(out), *model, *more]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(command), capture_output=True, text=True, timeout=240)


def predictions(out: Path) -> list[dict]:
    lines = (out / "predictions.jsonl").read_text("utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "latency_ms"} for line in lines]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, manifest: Path, package: Path) -> Path:
    out = tmp_path_factory.mktemp("finished") / "out"
    done = run(*arguments(manifest, out, package))
    assert done.returncode == 0, done.stderr
    assert "240 items scored, 1 could not be read" in done.stdout
    return out


def test_what_is_written(finished: Path, manifest: Path) -> None:
    rows = predictions(finished)
    given = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    assert [
        {key: row[key] for key in source} for row, source in zip(rows, given, strict=True)
    ] == given
    metrics = json.loads((finished / "metrics.json").read_text("utf-8"))
    assert metrics["n"] == 240 and metrics["n_directed"] == 112
    assert [item["audio_filepath"] for item in metrics["failed"]] == ["missing.wav"]
    assert metrics["run"]["asr"] == "none" and len(metrics["run"]["model_sha256"]) == 64
    for name in ("report.html", "det.png", "reliability.png", "scores.png"):
        assert (finished / name).stat().st_size > 1000


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_at_any_moment_it_goes_on_where_it_was(
    tmp_path: Path, manifest: Path, package: Path, finished: Path, workers: str
) -> None:
    out = tmp_path / "out"
    command = arguments(manifest, out, package, "--workers", workers)
    journal = out / "progress.jsonl"
    kills = 0
    for wanted in (5, 90):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            if journal.exists() and journal.read_bytes().count(b"\n") > wanted:
                os.killpg(process.pid, signal.SIGKILL)
                kills += 1
                break
            time.sleep(0.001)
        process.wait()
    assert kills == 2 and not (out / "predictions.jsonl").exists()
    before = journal.read_bytes().count(b"\n")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert predictions(out) == predictions(finished)
    assert before > 90 and journal.read_bytes().count(b"\n") == 242, "a row was scored twice"


def test_a_real_local_ray_cluster_says_the_same(
    tmp_path: Path, manifest: Path, package: Path, finished: Path
) -> None:
    pytest.importorskip("ray", reason="needs the extra: pip install 'turbo-listen[scale]'")
    done = run(*arguments(manifest, tmp_path, package, "--engine", "ray", "--workers", "2"))
    assert done.returncode == 0, done.stderr
    assert predictions(tmp_path) == predictions(finished)


def test_strict_tells_of_items_that_could_not_be_read(tmp_path, manifest, package) -> None:
    short = tmp_path / "m.jsonl"
    rows = manifest.read_text("utf-8").splitlines()
    short.write_text("\n".join([*rows[:15], rows[100]]), "utf-8")
    done = run(*arguments(short, tmp_path / "out", package, "--strict"))
    assert done.returncode == 1 and "Traceback" not in done.stderr


def test_a_sweep_a_tuned_package_and_a_comparison(tmp_path, manifest, package, finished) -> None:
    sweep, tuned = tmp_path / "sweep", tmp_path / "tuned"
    more = ["--augment", "noise=5", "--augment", "rir", "--tune", "fa=0.25"]
    done = run(*arguments(manifest, sweep, package, *more, "--model-out", str(tuned)))
    assert done.returncode == 0, done.stderr
    metrics = json.loads((sweep / "metrics.json").read_text("utf-8"))
    assert [row["condition"] for row in metrics["conditions"]] == ["clean", "noise=5", "rir"]
    assert predictions(sweep) == predictions(finished)
    assert predictions(sweep / "conditions" / "rir") != predictions(finished)

    again = run(*arguments(manifest, tmp_path / "again", tuned))
    assert again.returncode == 0, "the tuned package is whole"

    compared = run(*COMMAND, "--compare", str(finished), str(sweep), "--out", str(tmp_path / "c"))
    assert compared.returncode == 0, compared.stderr
    assert (tmp_path / "c" / "compare.html").exists()


def test_stream_mode_over_the_shipped_scene(tmp_path, package, kitchen_spans) -> None:
    from tests.support.paths import KITCHEN

    row = {"audio_filepath": str(KITCHEN), "segments": kitchen_spans}
    manifest = tmp_path / "stream.jsonl"
    manifest.write_text(json.dumps(row), "utf-8")
    done = run(*arguments(manifest, tmp_path / "out", package, "--mode", "stream"))
    assert done.returncode == 0, done.stderr
    stream = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))["stream"]
    assert (stream["spans"], stream["found"], stream["missed"]) == (15, 15, 0)
    assert (stream["splits"], stream["merges"]) == (0, 0)
    assert stream["onset_error_s"]["p95"] < 0.3 and stream["offset_error_s"]["p95"] < 0.5


def test_stream_mode_decides_as_turbo_listen_does_with_every_setting(tmp_path, package) -> None:
    """The same recording, the same options: the same utterances, from both commands."""
    from tests.support.paths import KITCHEN
    from turbo_stream.cli.command import run_command
    from turbo_stream.cli.evaluate import evaluate
    from turbo_stream.cli.listen import listen

    whole = {"audio_filepath": str(KITCHEN), "segments": [SPAN]}
    manifest = tmp_path / "stream.jsonl"
    manifest.write_text(json.dumps(whole), "utf-8")
    plain = None
    for number, given in enumerate(EVERY_SETTING):
        options = ["--model", str(package), "--asr", "none", "--show-rejected", *given]
        out = tmp_path / str(number)
        assert (
            run_command(evaluate, [str(manifest), "--out", str(out), "--mode", "stream", *options])
            == 0
        )
        (row,) = map(json.loads, (out / "predictions.jsonl").read_text("utf-8").splitlines())
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard):
            assert run_command(listen, [str(KITCHEN), "--jsonl", *options]) == 0
        told = list(map(json.loads, heard.getvalue().splitlines()))
        utterances = [untimed(event) for event in told if event["event"] == "utterance"]
        assert [untimed(event) for event in row["events"]] == utterances and utterances
        run = json.loads((out / "metrics.json").read_text("utf-8"))["run"]
        assert run["threshold"] == told[0]["threshold"]
        if plain is None:
            plain = utterances
        elif given[0] in CHANGES_DECISIONS:
            assert utterances != plain, f"{given} changed nothing"


def test_a_model_of_other_labels_and_a_table_of_clips(tmp_path, kitchen_spans) -> None:
    """Three classes from a CSV: probabilities instead of one, no verdict of a device."""
    from tests.support.paths import KITCHEN
    from tests.support.tiny_package import tiny_graph

    labels = ["happy", "sad", "neutral"]
    package = write_package(
        tmp_path / "three",
        graph=tiny_graph(classes=3),
        labels=labels,
        operating_points={},
        threshold=None,
        calibration={"method": "affine", "scale": 1.0, "bias": [0.0, 0.0, 0.0]},
    )
    rows = [
        f"{KITCHEN},{span['start_s']},{span['end_s'] - span['start_s']},{labels[number % 3]}"
        for number, span in enumerate(kitchen_spans)
    ]
    table = tmp_path / "clips.csv"
    table.write_text("\n".join(["audio_filepath,offset,duration,label", *rows]), "utf-8")
    done = run(*arguments(table, tmp_path / "out", package))
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))
    assert sum(map(sum, metrics["multiclass"]["confusion"])) == 15
    for row in predictions(tmp_path / "out"):
        assert sum(row["probabilities"].values()) == pytest.approx(1)
        assert row["decision"] in labels and "directed_probability" not in row


def test_odd_texts_are_scored_and_can_be_read_again(tmp_path, package, kitchen_spans) -> None:
    from tests.support.paths import KITCHEN

    texts = ["off\u2028now", "off\x85now", "off \ud83d", "off\nnow", "off now"]
    rows = [
        {"audio_filepath": str(KITCHEN), "label": span["label"], "text": text, "odd": f"\udce9{i}"}
        | {"offset": span["start_s"], "duration": 1.0}
        for i, (span, text) in enumerate(zip(kitchen_spans, texts, strict=False))
    ]
    # As they are, but for what UTF-8 cannot hold.
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    path = tmp_path / "m.jsonl"
    path.write_bytes(lines.encode("utf-8", "backslashreplace"))
    command = [*COMMAND, str(path), "--model", str(package), "--text", "gold"]
    for _ in range(2):
        done = run(*command, "--out", str(tmp_path / "out"), "--strict")
        assert done.returncode == 0 and "5 items scored" in done.stdout, done.stderr
    assert [(row["text"], row["odd"]) for row in predictions(tmp_path / "out")] == [
        (row["text"], row["odd"]) for row in rows
    ]
    compare = ["--compare", str(tmp_path / "out"), str(tmp_path / "out")]
    done = run(*COMMAND, *compare, "--out", str(tmp_path / "compared"))
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "compared" / "compare.json").read_text("utf-8"))["n_common"] == 5


@pytest.mark.parametrize(
    ("labels", "code", "said"),
    [
        (("directed", "Not-Directed"), 2, "m.jsonl, item 2: label 'Not-Directed' differs only"),
        ((" directed", "not_directed"), 2, "m.jsonl, item 1: label ' directed' differs only"),
        (("1", "0"), 0, "none of its labels are the model's"),
        (("directed", "music"), 0, "'music' (1); these count as not directed"),
        (("directed", None), 0, "1 of 2 rows have no label"),
        ((None, None), 2, "none of its 2 rows has a `label`"),
        (("directed", "not_directed"), 0, ""),
    ],
)
def test_labels_are_held_against_the_models(tmp_path, package, labels, code, said) -> None:
    from tests.support.paths import KITCHEN

    rows = [
        {"audio_filepath": str(KITCHEN), "offset": start, "duration": 1.0, "label": label}
        for start, label in enumerate(labels)
    ]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run(*arguments(path, tmp_path / "out", package))
    told = [line for line in done.stderr.splitlines() if line.startswith("turbo-eval:")]
    assert done.returncode == code, done.stderr
    assert len(told) == bool(said) and said in done.stderr
    segments = [
        {"start_s": start + 0.5, "end_s": start + 1.5, "label": label}
        for start, label in enumerate(labels)
        if label
    ]
    path.write_text(json.dumps({"audio_filepath": str(KITCHEN), "segments": segments}))
    if segments:  # without any, what is accepted is counted an hour
        done = run(*arguments(path, tmp_path / "stream", package, "--mode", "stream"))
        assert done.returncode == code, done.stderr
        assert not code or "m.jsonl, item 1, segment" in done.stderr


def test_a_manifest_of_missing_files_says_why_nothing_was_scored(tmp_path, package) -> None:
    path = tmp_path / "m.jsonl"
    row = {"audio_filepath": "gone.wav", "label": "directed"}
    path.write_text(json.dumps(row) + "\n")
    done = run(*arguments(path, tmp_path / "out", package))
    assert done.returncode == 2 and "none of its 1 items could be read" in done.stderr
    assert "gone.wav: no such file" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "Missing option '--out'"),
        (["--out", "o"], "Missing argument 'MANIFEST'"),
        (["none.jsonl", "--out", "o"], "none.jsonl cannot be read"),
        (["none.jsonl", "--out", "o", "--asr", "none", "--text", "gold"], "exclude each other"),
        (["none.jsonl", "--out", "o", "--tune", "fa=0.1"], "--tune and --model-out go together"),
        (["none.jsonl", "--out", "o", "--augment", "reverb"], "--augment reverb is not known"),
        (["none.jsonl", "--out", "o", "--engine", "dask"], "--engine dask is not known"),
        (["none.jsonl", "--out", "o", "--workers", "0"], "--workers"),
        (["none.jsonl", "--out", "o", "--mode", "live"], "'live' is not one of"),
        (["--compare", "a", "b", "--out", "o"], "a"),
    ],
)
def test_bad_use_ends_in_one_line(tmp_path: Path, given: list[str], said: str) -> None:
    done = subprocess.run(
        [*COMMAND, *given], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 2
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_another_run_in_the_same_folder_is_refused(manifest, package, finished) -> None:
    done = run(*arguments(manifest, finished, package, "--name", "friday"))
    assert done.returncode == 2 and "holds a run of another manifest" in done.stderr
