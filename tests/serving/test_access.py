"""The token, wherever it comes from and whatever wrote its file."""

from pathlib import Path

import pytest

from turbo_stream._util.plain_text import read_secret
from turbo_stream.errors import InputError
from turbo_stream.serving.access import Access

SECRET = "0123456789abcdef ü"

FILES = {
    "plain": SECRET.encode(),
    "line end": f"{SECRET}\n".encode(),
    "windows": f"{SECRET}\r\n".encode(),
    "old mac": f"{SECRET}\r".encode(),
    "utf-8 with a mark": b"\xef\xbb\xbf" + f"{SECRET}\r\n".encode(),
    "powershell": f"{SECRET}\r\n".encode("utf-16"),
    "big endian": b"\xfe\xff" + f"{SECRET}\n".encode("utf-16-be"),
    "utf-32": f"{SECRET}\n".encode("utf-32"),
    "lines after it": f"{SECRET}\n\nof 2026\n".encode(),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES.keys())
def test_the_token_is_the_first_line_of_its_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert Access(token_file=file).asked_token == SECRET


@pytest.mark.parametrize("given", [SECRET, f"\ufeff{SECRET}\r", f" {SECRET} \n"])
def test_what_a_file_left_at_the_ends_of_a_variable_is_not_the_token(given: str) -> None:
    assert Access(token=given).asked_token == SECRET


def test_blanks_and_odd_separators_belong_to_a_password(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(" x\u2028y \n".encode())
    assert read_secret(file, "`mqtt_password_file`") == " x\u2028y "


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "first line is empty"),
        (b"\xef\xbb\xbf\n", "first line is empty"),
        (SECRET.encode("latin-1"), "not UTF-8"),
        (SECRET[:16].encode("utf-16-le"), "NUL"),
        (b"\xff\xfe0", "not UTF-8"),
    ],
    ids=["missing", "empty", "a mark alone", "latin-1", "no mark", "half a character"],
)
def test_a_file_that_holds_no_token_is_refused_unseen(tmp_path: Path, content, says) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=says) as refused:
        Access(token_file=file)
    assert "`token_file`" in str(refused.value) and "0123" not in str(refused.value)


@pytest.mark.parametrize("token", ["x", SECRET[:15], f" {SECRET[:15]} \n"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "speaker.example"])
def test_a_token_that_can_be_guessed_guards_nothing_that_others_reach(
    tmp_path: Path, host: str, token: str
) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    for given in ({"token": token}, {"token_file": file}):
        with pytest.raises(InputError, match="16 or more") as refused:
            Access(host=host, **given)
        assert SECRET[:15] not in str(refused.value)
    assert Access(host=host, token=SECRET[:16]).asked_token == SECRET[:16]
    assert Access(host="127.0.0.1", token=token).asked_token == token.strip()
