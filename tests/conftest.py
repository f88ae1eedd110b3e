"""What all tests share: the shipped recording, how they are spread, and CI's rule on skipping."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# Before numpy is imported: on two cores, BLAS threads that wait for each other cost more than
# they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# What a shell starts in the background is deaf to Ctrl-C, and so would be all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import numpy as np
import pytest

from tests.support.made_vocabulary import write_package
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make attack` says to tests/attacks."""
    group = parser.getgroup("attacks")
    group.addoption(
        "--attack-s",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="how long each attack goes on; by default each tries its fewest inputs",
    )
    group.addoption(
        "--attack-from", type=int, default=0, metavar="N", help="the number of the first input"
    )
    group.addoption(
        "--attack-report", type=Path, metavar="FILE", help="append the account of each as JSON"
    )


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Return how many processes `-n auto` starts: none where files or single tests are named.

    One more than there are cores, because tests also wait; no more than 12, because each process
    holds torch and collects all tests, and the longest file ends no sooner.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    if all(argument.split("::")[0].endswith(".py") for argument in config.args):
        return 0
    affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1
    return min(cores + 1, 12)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first, so that no process is left alone with one at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail in CI when anything was skipped: there, everything a test needs is installed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if skipped and os.environ.get("CI") and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"CI allows no skipped test; skipped here: {len(skipped)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="module")
def made_vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A vocabulary to prune in place of MiniLM's, which pip installs for CI only."""
    folder = tmp_path_factory.mktemp("vocabulary")
    write_package(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield


@pytest.fixture(scope="session")
def sound_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMicrophone]:
    """A private PulseAudio server with a microphone named `vmic`; see `virtual_microphone.py`."""
    if MISSING:
        pytest.skip(f"no virtual microphone without: apt install {' '.join(MISSING)}")
    with virtual_microphone(tmp_path_factory.mktemp("pulse")) as server:
        yield server
