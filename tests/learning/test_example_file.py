"""The file of corrections: what it holds, and what it refuses."""

import json
import stat
from pathlib import Path

import numpy as np
import pytest

from tests.learning.conftest import MODEL, made_example
from turbo_stream._util import sealed_file
from turbo_stream.errors import InputError
from turbo_stream.learning import example_file
from turbo_stream.learning.example_file import ExampleFile, ForeignExamplesError, ModelId


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = ExampleFile(MODEL, {f"{i:02}": made_example(i, weight=0.3 + i / 10) for i in range(3)})
    file.write(tmp_path / "learned.json")
    return tmp_path / "learned.json"


def test_it_is_read_as_it_was_written_and_is_its_owners_alone(path: Path) -> None:
    read = ExampleFile.read(path)
    assert read.model == MODEL and list(read.examples) == ["00", "01", "02"]
    for index, one in enumerate(read.examples.values()):
        was = made_example(index, weight=0.3 + index / 10)
        for name in ("directed", "weight", "session", "time_s", "origin"):
            assert getattr(one, name) == getattr(was, name)
        for name in ("audio", "text", "confidence"):
            mine, its = getattr(one.vectors, name), getattr(was.vectors, name)
            assert mine.dtype == np.float32
            np.testing.assert_array_equal(mine, its)
        assert one.vectors.logit == was.vectors.logit
        assert one.vectors.has_text == was.vectors.has_text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_it_holds_no_more_than_it_says(path: Path) -> None:
    body = json.loads(path.read_bytes())
    assert set(body) == {"kind", "format", "model", "examples", "sha256"}
    assert set(body["examples"][0]) == {
        *("id", "directed", "weight", "session", "time_s", "origin"),
        *("logit", "has_text", "audio", "text", "confidence"),
    }


def test_any_byte_that_was_changed_is_noticed(path: Path) -> None:
    good = path.read_bytes()
    rng = np.random.default_rng(3)
    for place in rng.choice(len(good), 60, replace=False):
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(0, 7))
        path.write_bytes(bytes(bad))
        if good.isspace() or json_of(bytes(bad)) == json.loads(good):
            continue  # between two words, where a space is like another
        with pytest.raises(InputError, match=r"learned\.json"):
            ExampleFile.read(path)


def json_of(data: bytes) -> object:
    try:
        return json.loads(data)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no file of corrections"),
        (b"{}", "another name"),
        (b"[" * 100_000, "no file of corrections"),
        (b'{"kind": "turbo-stream corrections", "format": 2}', "update turbo_stream"),
        (b'{"kind": "turbo-stream corrections", "format": 1}', "damaged"),
    ],
)
def test_what_is_no_such_file_is_refused_by_name(tmp_path, content, says) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"other.json.*{says}"):
        ExampleFile.read(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("directed", 1),
        ("weight", 0),
        ("weight", 2),
        ("logit", "3"),
        ("time_s", 1.5),
        ("origin", "nowhere"),
        ("session", "a\nb"),
        ("audio", "!!"),
        ("audio", ""),
        ("audio", "AADAfw=="),  # NaN
        ("id", 7),
    ],
)
def test_values_that_no_version_writes_are_refused_whatever_their_hash(path, name, value) -> None:
    body = json.loads(path.read_bytes())
    body["examples"][1][name] = value
    del body["sha256"]
    body["sha256"] = sealed_file._hash(body)
    path.write_text(json.dumps(body))
    with pytest.raises(InputError, match="holds what no version writes"):
        ExampleFile.read(path)


def test_the_oldest_are_forgotten_when_there_are_too_many(monkeypatch) -> None:
    monkeypatch.setattr(example_file, "MOST_EXAMPLES", 3)
    file = ExampleFile(MODEL, {})
    for index in range(5):
        file = file.with_example(str(index), made_example(index))
    assert list(file.examples) == ["2", "3", "4"]
    again = file.with_example("3", made_example(9))
    assert list(again.examples) == ["2", "4", "3"]
    assert list(again.with_example("5", made_example(4)).examples) == ["2", "3", "5"]


def test_what_is_of_another_model_says_of_which(path: Path) -> None:
    other = ModelId("tiny", "2.0", "f" * 64)
    with pytest.raises(ForeignExamplesError, match=r"tiny 1\.0 \(00000000\).*tiny 2\.0 \(ffffffff"):
        ExampleFile.read(path).check(path, other)


def test_a_folder_that_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        ExampleFile(MODEL, {}).write(tmp_path / "none" / "learned.json")
