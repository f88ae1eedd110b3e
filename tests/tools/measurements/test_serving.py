"""A few clients of a real server with a real recognizer: none is lost, none is degraded."""

import json
import subprocess
import sys

from tests.support.paths import ROOT


def test_no_client_is_lost() -> None:
    command = [
        sys.executable,
        "-m",
        "tools.measurements.cost.serving",
        "--clients",
        "8",
        "--seconds",
        "4",
    ]
    command += ["--", "--asr", "tests/assets/whisper-kitchen"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["lost"] == found["lost_samples"] == found["exit_status"] == 0
    assert found["clients"] == 8 and found["utterances"] >= 8
    assert sum(found["decisions"].values()) == found["utterances"]
    assert found["threads"]["after"] < found["threads"]["most"], "streams leave threads behind"
