"""One key is set, the rest of a file stays as it is."""

import tomllib
from pathlib import Path

import pytest

from turbo_stream.errors import InputError
from turbo_stream.tuning.toml_key import set_number


def written(tmp_path: Path, before: str) -> str:
    path = tmp_path / "listen.toml"
    path.write_bytes(before.encode())
    set_number(path, "threshold", 0.75, instead_of=["operating-point"])
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "threshold = 0.75\n"),
        ("threshold = 0.5\n", "threshold = 0.75\n"),
        ('name = "friday"  # ours\n', 'threshold = 0.75\nname = "friday"  # ours\n'),
        ('a = 1\noperating_point = "fa1"\nb = 2', "a = 1\nthreshold = 0.75\nb = 2"),
        ('"threshold" = 0.5\noperating-point = "x"\n', "threshold = 0.75\n"),
        ("a = 1\r\nthreshold=0.1 # low\r\n", "a = 1\r\nthreshold = 0.75\r\n"),
        ("[x]\nthreshold = 1\n", "threshold = 0.75\n[x]\nthreshold = 1\n"),
    ],
)
def test_the_rest_stays(tmp_path: Path, before: str, after: str) -> None:
    assert written(tmp_path, before) == after
    assert tomllib.loads(after)["threshold"] == 0.75


def test_a_file_that_is_not_there_is_made(tmp_path: Path) -> None:
    set_number(tmp_path / "new" / "listen.toml", "threshold", 0.5)
    assert (tmp_path / "new" / "listen.toml").read_text() == "threshold = 0.5\n"


@pytest.mark.parametrize("before", ["threshold = ", 'a = """\nthreshold = 1\n"""\n'])
def test_what_cannot_be_set_is_refused_and_stays(tmp_path: Path, before: str) -> None:
    with pytest.raises(InputError, match=r"listen\.toml"):
        written(tmp_path, before)
    assert (tmp_path / "listen.toml").read_text() == before


def test_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("a = 1\n")
    link.symlink_to(real)
    set_number(link, "threshold", 0.5)
    assert link.is_symlink()
    assert real.read_text() == "threshold = 0.5\na = 1\n"
