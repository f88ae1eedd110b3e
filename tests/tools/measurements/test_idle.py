"""The live shell on a real, silent microphone: measured from outside, and ended properly."""

import json
import subprocess
import sys

import pytest

from tests.support.paths import ROOT


@pytest.mark.audio_server
def test_a_silent_microphone_is_listened_to_and_left_with_status_0(sound_server) -> None:
    command = [sys.executable, "-m", "tools.measurements.cost.idle", "--seconds", "1.5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["exit_status"] == 0
    assert found["capture_alone_cpu_share"] > 0 and found["cpu_share"] > 0
