"""An accepted utterance, and a place for what is said about failures."""

from collections.abc import Callable

import pytest

from tests.support.accepted_utterance import utterance
from turbo_stream.events import Utterance


@pytest.fixture
def accepted() -> Callable[..., Utterance]:
    return utterance


@pytest.fixture
def said() -> list[str]:
    """What is told: append as `say`."""
    return []
