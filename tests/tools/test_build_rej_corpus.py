"""The corpus builder as a command: balance, determinism, resuming."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]
OF_SCENE = (
    "channel",
    "distance_m",
    "reverberation_s",
    "noise",
    "snr_db",
    "overlap_db",
    "clipped",
    "codec",
)
NEEDED = ("flite", "festival", "espeak-ng")

pytestmark = pytest.mark.skipif(
    any(shutil.which(engine) is None for engine in NEEDED),
    reason=f"needs the synthesizers {', '.join(NEEDED)} and festival's voices (docs/corpus.md)",
)


def command(out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "tools.build_rej_corpus", "--out", str(out), *options]


def build(out: Path, *options: str) -> subprocess.CompletedProcess:
    return subprocess.run(command(out, *options), cwd=ROOT, capture_output=True, text=True)


def manifest(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "manifest.jsonl").open()]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("corpus") / "small"
    done = build(out, "--small", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["refused"] == 0
    return out


def test_pairs_differ_in_words_and_ways_of_speaking_only(small: Path) -> None:
    rows = manifest(small)
    assert len(rows) >= 300
    pairs: dict[int, list[dict]] = {}
    for row in rows:
        pairs.setdefault(row["pair"], []).append(row)
    for first, second in pairs.values():
        assert {first["label"], second["label"]} == {"directed", "not_directed"}
        alike = ["voice", "engine", "pitch", "tone", "fold", *OF_SCENE]
        if first["style"] is None:
            assert second["style"] is None
            alike += ["rate", "level_db"]
        for same in alike:
            assert first[same] == second[same]
    assert len({row["engine"] for row in rows}) == 3
    assert min(Counter(row["fold"] for row in rows).values()) >= 20


def test_no_text_and_no_voice_on_both_sides(small: Path) -> None:
    for column in ("text", "voice"):
        folds: dict[str, set[str]] = {}
        for row in manifest(small):
            folds.setdefault(row[column], set()).add(row["fold"])
        assert [value for value, sides in folds.items() if len(sides) > 1] == []


def test_same_words_hang_on_the_device_name(small: Path) -> None:
    rows = [row for row in manifest(small) if row["text_source"] == "own_name_calls"]
    assert rows
    assert all(row["device_name"] in row["text"] for row in rows)
    others = [row for row in manifest(small) if row["text_source"] == "own_other_calls"]
    assert others
    assert all(row["device_name"] not in row["text"].split() for row in others)


def test_nuisances_do_not_tell_the_classes_apart(small: Path) -> None:
    assert probe_auc(small, leak_s=0.0) < 0.6
    # The probe is no blind witness: a third of a second more on one class, and it sees it.
    assert probe_auc(small, leak_s=0.33) > 0.6


def probe_auc(corpus: Path, leak_s: float) -> float:
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = manifest(corpus)
    directed = np.array([row["label"] == "directed" for row in rows])
    features = []
    for row, leaks in zip(rows, directed, strict=True):
        samples, rate = soundfile.read(corpus / row["audio_filepath"])
        assert rate == 16_000
        assert len(samples) / rate == pytest.approx(row["duration"], abs=1e-3)
        nuisances = {key: row[key] for key in ("voice", "engine", "rate", "pitch")}
        nuisances["duration_s"] = row["duration"] + leak_s * leaks
        nuisances["level_db"] = 10 * np.log10(np.mean(samples**2))
        features.append(nuisances)
    model = make_pipeline(
        DictVectorizer(sparse=False), StandardScaler(), LogisticRegression(max_iter=1000)
    )
    scores = cross_val_predict(
        model,
        features,
        directed,
        groups=[row["pair"] for row in rows],
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]
    return roc_auc_score(directed, scores)


def test_killed_build_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    options = ("--hours", "0.03", "--seed", "3", "--workers")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert build(whole, *options, "2").returncode == 0

    process = subprocess.Popen(
        command(killed, *options, "1"), cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL
    )
    state = killed / "build.json"
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        if state.is_file() and json.loads(state.read_text())["parts"]:
            break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    finished = len(manifest(killed))
    assert 0 < finished < len(manifest(whole))
    with (killed / "manifest.jsonl").open("a") as torn:
        torn.write('{"audio_filepath": "clips/0')

    assert build(killed, *options, "1").returncode == 0
    for row in manifest(whole):
        path = row["audio_filepath"]
        assert (killed / path).read_bytes() == (whole / path).read_bytes()
    for name in ("manifest.jsonl", "build.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()


def test_another_plan_does_not_mix_in(small: Path) -> None:
    before = (small / "manifest.jsonl").read_bytes()
    refused = build(small, "--small", "--seed", "1")
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    assert "another --out" in refused.stderr
    assert (small / "manifest.jsonl").read_bytes() == before
