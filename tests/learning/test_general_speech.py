"""The file of general speech: read whole, or refused in one line."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.learned_speech import recorded, shipped_kernel
from turbo_stream.deciding.learner_of_models import kernel_of
from turbo_stream.detection.fingerprint import fingerprint
from turbo_stream.detection.package import ModelPackage
from turbo_stream.errors import PackageError
from turbo_stream.learning.general_speech import GENERAL_SPEECH_NAME, GeneralSpeech

GOOD = {
    "audio": np.eye(3, 4),
    "text": np.eye(3, 4),
    "audio_mean": np.zeros(4),
    "text_mean": np.zeros(4),
}


def test_the_shipped_package_has_some() -> None:
    general = shipped_kernel().general
    assert len(general.points) == 256 and general.audio_mean is not None
    assert np.allclose(np.linalg.norm(general.points.text, axis=1), 1)
    package = ModelPackage.load()
    assert len(kernel_of(package).general.points) == 256
    assert package.path(GENERAL_SPEECH_NAME).stat().st_size < 500_000


def test_a_package_may_do_without_and_its_vectors_stay_the_same() -> None:
    package = ModelPackage.load()
    files = {name: sha for name, sha in package.files.items() if name != GENERAL_SPEECH_NAME}
    bare = replace(package, files=files)
    assert len(kernel_of(bare).general.points) == 0
    assert fingerprint(bare) == fingerprint(package)


def test_utterances_are_placed_around_the_mean() -> None:
    vectors, _, _ = recorded()
    general = shipped_kernel().general
    placed = general.place(vectors)
    assert np.allclose(np.linalg.norm(placed.audio, axis=1), 1)
    raw = GeneralSpeech.none().place(vectors)
    alike = [(one @ one.T).mean() for one in (placed.audio, raw.audio)]
    assert alike[0] < alike[1]


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"audio": np.ones(4)}, "other dimensions"),
        ({"text": np.eye(2, 4)}, "do not fit"),
        ({"text_mean": np.zeros(3)}, "do not fit"),
        ({"audio_mean": np.full(4, np.nan)}, "not finite"),
        ({"text": None}, "cannot be read"),
        ({"audio": np.array([["a"]])}, "cannot be read"),
        ({"audio": np.array([object()])}, "cannot be read"),
    ],
)
def test_what_is_not_right_is_refused(tmp_path: Path, broken: dict, problem: str) -> None:
    path = tmp_path / GENERAL_SPEECH_NAME
    np.savez(path, **{key: value for key, value in {**GOOD, **broken}.items() if value is not None})
    with pytest.raises(PackageError, match=problem) as caught:
        GeneralSpeech.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no file of arrays"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / GENERAL_SPEECH_NAME
    path.write_bytes(content)
    with pytest.raises(PackageError, match="cannot be read"):
        GeneralSpeech.read(path)
