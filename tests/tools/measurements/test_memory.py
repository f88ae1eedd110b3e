"""The measurement listens for as long as it is told, and notes what the process holds."""

import json
import subprocess
import sys

from tests.support.paths import ROOT


def test_memory_is_noted_while_the_shell_listens(tmp_path) -> None:
    plot = tmp_path / "memory.png"
    command = [sys.executable, "-m", "tools.measurements.cost.memory", "--asr", "none", "--json"]
    command += ["--minutes", "1", "--speed", "40", "--plot", str(plot)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["utterances"] >= 14
    held = found["resident_mb"]
    assert held["start"] > 20 and held["end"] <= held["peak"] < 1000
    assert abs(found["growth_mb_per_hour"]) < 10_000
    assert plot.read_bytes().startswith(b"\x89PNG")
