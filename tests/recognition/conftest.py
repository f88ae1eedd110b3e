"""The real small Whisper, loaded once, and folders to spoil."""

import shutil
from pathlib import Path

import pytest

from turbo_stream.recognition.whisper import WhisperRecognizer

WHISPER_KITCHEN = Path(__file__).parents[1] / "assets" / "whisper-kitchen"


@pytest.fixture(scope="session")
def whisper_folder() -> Path:
    return WHISPER_KITCHEN


@pytest.fixture(scope="session")
def whisper() -> WhisperRecognizer:
    recognizer = WhisperRecognizer(WHISPER_KITCHEN)
    recognizer.warm_up()
    return recognizer


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    """A copy of the model folder, for a test to damage."""
    return Path(shutil.copytree(WHISPER_KITCHEN, tmp_path / "spoilt"))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local cache of the Hub with nothing in it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
