"""What all tests share: the shipped recording, and CI's rule that nothing is skipped."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

# Before numpy is imported: on two cores, BLAS threads that wait for each other cost more than
# they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from tests.support.paths import KITCHEN
from tools.measurements.cost.virtual_microphone import (
    MISSING,
    VirtualMicrophone,
    virtual_microphone,
)


@pytest.fixture(scope="session")
def kitchen_pcm() -> np.ndarray:
    """The shipped scene, `[N]` int16 at 16 kHz; read-only, so that no test spoils another."""
    import soundfile

    pcm, rate = soundfile.read(KITCHEN, dtype="int16")
    assert rate == 16_000
    pcm.flags.writeable = False
    return pcm


@pytest.fixture(scope="session")
def excerpt(kitchen_pcm: np.ndarray) -> np.ndarray:
    """The first 12 seconds: three utterances."""
    return kitchen_pcm[: 12 * 16_000]


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


@pytest.fixture(scope="session")
def sound_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMicrophone]:
    """A private PulseAudio server with a microphone named `vmic`; see `virtual_microphone.py`."""
    if MISSING:
        pytest.skip(f"no virtual microphone without: apt install {' '.join(MISSING)}")
    with virtual_microphone(tmp_path_factory.mktemp("pulse")) as server:
        yield server
