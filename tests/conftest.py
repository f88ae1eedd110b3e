"""What all tests share: the shipped recording, and CI's rule that nothing is skipped."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
KITCHEN = ROOT / "examples" / "kitchen.flac"


@pytest.fixture(scope="session")
def kitchen_pcm() -> np.ndarray:
    """The shipped scene, `[N]` int16 at 16 kHz; read-only, so that no test spoils another."""
    import soundfile

    pcm, rate = soundfile.read(KITCHEN, dtype="int16")
    assert rate == 16_000
    pcm.flags.writeable = False
    return pcm


@pytest.fixture(scope="session")
def kitchen_spans() -> list[dict]:
    """The labelled utterances of the shipped scene, in order."""
    return json.loads(KITCHEN.with_suffix(".json").read_text("utf-8"))["segments"]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail in CI when anything was skipped: there, everything a test needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI") and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI allows no skipped test; skipped here: {len(skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
