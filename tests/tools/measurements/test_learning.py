"""The measurement of learning in place, on a recorded file in small."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.support.learned_speech import recorded
from tools.measurements.learning.__main__ import COUNTS, curve, gated, main, read
from tools.measurements.learning.heads import HEADS
from turbo_stream.errors import InputError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    vectors, truths, speakers = recorded()
    audio, text = (np.array([getattr(v, name) for v in vectors]) for name in ("audio", "text"))
    path = tmp_path / "a_b.npz"
    np.savez(
        path,
        audio=audio,
        text=text,
        logit=np.array([v.logit for v in vectors]),
        confidence=np.array([v.confidence for v in vectors]),
        has_text=np.array([v.has_text for v in vectors]),
        directed=truths,
        collection=np.where(truths, "a", "b"),
        speaker=speakers.astype(str),
        general_audio=audio[::5],
        general_text=text[::5],
        general_has_text=np.ones(len(audio[::5]), bool),
    )
    return path


def test_every_head_learns_from_real_speech(path: Path) -> None:
    vectors, rows, kernel = read(path, ["a,b"])
    for name, make in {"gated": gated, **HEADS}.items():
        errors = curve(vectors, rows, make(kernel), 4)
        assert len(errors) == 1 + len(COUNTS) and errors[3] <= errors[0] + 0.02, name


def test_a_pair_that_the_fold_was_taught_by_is_refused(path: Path) -> None:
    there = r"it has a \(directed\), b \(other\)"
    with pytest.raises(InputError, match=rf"a_b\.npz: no c \(directed\); {there}"):
        read(path, ["a,b", "c,b"])
    with pytest.raises(InputError, match=rf"no a \(other\), b \(directed\); {there}"):
        read(path, ["b,a"])


def test_the_command_prints_a_line_a_head(path: Path) -> None:
    found = CliRunner().invoke(main, [str(path), "a,b", "--draws", "1"])
    assert found.exit_code == 0 and all(name[:20] in found.output for name in HEADS)
