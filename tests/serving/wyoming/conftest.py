"""One set of models for all tests of the Wyoming server."""

import pytest

from tests.support.paths import ROOT

SMALL_WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


@pytest.fixture(scope="session")
def listener():
    """The shipped Turbo with a real small Whisper, which knows the sentences of the kitchen."""
    from turbo_stream.pipeline import Models
    from turbo_stream.settings import Settings

    return Models.load(Settings(asr=str(SMALL_WHISPER)))
