"""Servers that accept all, or nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.support.fakes import LoudnessDetector
from tests.support.served import Served, served, shared_models
from turbo_stream.serving.access import GateConfig
from turbo_stream.serving.limits import Limits

TOKEN = "sesamestreet-12345"

Deciding = Callable[..., AbstractContextManager[Served]]


@contextmanager
def deciding(
    probability: float, limits: Limits | None = None, token: str | None = TOKEN
) -> Iterator[Served]:
    """Serve what scores all speech so; it shows rejected speech to those who ask by /ws."""
    models = shared_models(detector=LoudnessDetector(always=probability), show_rejected=True)
    with served(models, limits, GateConfig(token)) as server:
        yield server


@pytest.fixture(scope="package")
def accepting() -> Iterator[Served]:
    with deciding(0.9) as server:
        yield server


@pytest.fixture(scope="package")
def rejecting() -> Iterator[Served]:
    with deciding(0.1) as server:
        yield server
