"""Two processes train together from the command line, and go on where they stood."""

import json
import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("soundfile")

from safetensors.torch import load_file

from tests.support.paths import ROOT
from tests.support.tiny_corpus import write_classes, write_start

pytestmark = pytest.mark.slow


def torchrun(*assignments: str) -> subprocess.CompletedProcess:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, *launcher, "-m", "training.train", "rej", *assignments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=150
    )


def test_two_processes_train_write_once_and_refuse_another_run(tiny, tmp_path):
    manifest = write_classes(tmp_path, ["not_directed", "directed"], speakers=6, each=3)
    out = tmp_path / "out"
    common = [
        f"data.manifest={manifest}",
        f"init={write_start(tmp_path / 'start', tiny)}",
        f"out={out}",
        "device=cpu",
        "data.dev_share=0.4",
        "train.batch=4",
        "train.chunk=2",
        "train.evaluate_every=2",
        "train.checkpoint_every=2",
    ]
    done = torchrun(*common, "train.steps=4")
    assert done.returncode == 0, done.stderr[-3000:]
    # One rank speaks, of its figures, and nobody of what no user could mend.
    assert done.stdout.count("rows trained on") == 1 and "4, the best at" in done.stdout
    assert "{" not in done.stdout + done.stderr and "Warning" not in done.stderr, done.stderr
    metrics = json.loads((out / "metrics.json").read_text())
    assert [look["step"] for look in metrics["looks"]] == [2, 4]
    assert metrics["environment"]["ranks"] == 2 and metrics["seed"] == 0
    state = torch.load(out / "last.pt", weights_only=True)
    assert len(state["ranks"]) == 2
    assert set(load_file(out / "best.safetensors")) == set(tiny.state_dict())

    before = (out / "config.json").read_text()
    refused = torchrun(*common, "train.steps=6")
    assert refused.returncode != 0
    assert "train.steps was 4 and is 6; take another out=DIR" in refused.stderr
    assert "exitcode  : 2" in refused.stderr
    assert (out / "config.json").read_text() == before
