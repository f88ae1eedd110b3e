"""`turbo-eval` as a user runs it: real processes, killed and started again, on Ray, compared."""

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
    pytest.importorskip("ray", reason="needs the extra: pip install 'turbo-stream[scale]'")
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
