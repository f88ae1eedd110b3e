"""A package of a few kilobytes, and made-up corrections of its vectors."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.tiny_package import write_package
from turbo_stream.learning.example import Example
from turbo_stream.learning.example_file import ModelId
from turbo_stream.learning.vectors import Vectors

MODEL = ModelId("tiny", "1.0", "0" * 64)


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "tiny")


def made_vectors(seed: int = 0, *, logit: float = 0.3) -> Vectors:
    rng = np.random.default_rng(seed)
    draw = rng.standard_normal(12).astype(np.float32)
    return Vectors(draw[:4], draw[4:8], logit, draw[8:], has_text=seed % 2 == 0)


def made_example(seed: int = 0, **changes) -> Example:
    given = {"directed": seed % 3 == 0, "session": f"s{seed % 4}", "time_s": 86_400 * seed}
    return Example(made_vectors(seed), **given | changes)
