import pytest

from tests.support.tiny_package import write_package
from turbo_stream.detection.package import ModelPackage


@pytest.fixture
def tiny_folder(tmp_path):
    """A good package of its own for each test, free to be damaged."""
    return write_package(tmp_path / "tiny")


@pytest.fixture
def tiny(tiny_folder):
    return ModelPackage.load(tiny_folder)
