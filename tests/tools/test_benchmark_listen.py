"""The benchmark measures the real command, and its figures keep the promises that load allows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def figures() -> dict:
    command = [sys.executable, "-m", "tools.benchmark_listen", "--asr", "none", "--repeats", "1"]
    command += ["--silence-minutes", "0.5", "--microphone-s", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "core.silence.cpu_share" in done.stderr
    return json.loads(done.stdout)


def test_the_file_is_heard_without_torch(figures: dict) -> None:
    assert figures["core"]["torch_imported"] is False
    assert figures["listen"]["utterances"] > 5
    assert figures["listen"]["audio_s"] == pytest.approx(54.56, abs=0.1)


def test_costs_stay_within_what_is_promised(figures: dict) -> None:
    # CPU time, which a busy machine stretches far less than wall time.
    assert figures["listen"]["cpu_per_audio_second"] < 0.1
    assert figures["core"]["silence"]["cpu_share"] < 0.02
    assert figures["core"]["silence"]["events"] == 0


def test_the_live_shell_ends_with_status_0(figures: dict) -> None:
    microphone = figures["microphone"]
    if "skipped" in microphone:
        pytest.skip(microphone["skipped"])
    assert microphone["exit_status"] == 0
    assert microphone["capture_alone_cpu_share"] > 0
    assert 0 < microphone["cpu_share"] < 0.2
