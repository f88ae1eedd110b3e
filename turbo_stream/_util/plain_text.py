"""Text files as people's editors write them: with a byte-order mark, in UTF-8 or UTF-16."""

import codecs
import re
from pathlib import Path

from turbo_stream.errors import InputError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose mark is the front of this one.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decoded(content: bytes) -> str:
    """Return the text of a file, without its byte-order mark; UTF-8 where it has none.

    Raises `UnicodeDecodeError`.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding)
    return content.decode("utf-8")


def has_mark(content: bytes) -> bool:
    """Return whether a file begins with a byte-order mark."""
    return any(content.startswith(mark) for mark, _ in _MARKS)


def read_secret(file: Path, what: str) -> str:
    """Return the first line of `file` without its end; its blanks belong to it.

    Raises `InputError`, which begins with `what` and quotes nothing of the content.
    """
    where = f"{what} {file}"
    try:
        text = decoded(file.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{where} cannot be read ({reason}); give a file of one line") from error
    except UnicodeDecodeError:
        raise InputError(
            f"{where} cannot be read (it is not UTF-8 text); save it as UTF-8"
        ) from None
    # Not `splitlines`: a password may hold what Unicode calls a line separator.
    line = re.split(r"\r\n|\n|\r", text, maxsplit=1)[0]
    if "\0" in line:  # UTF-16 without a mark
        raise InputError(f"{where} cannot be read (it holds NUL characters); save it as UTF-8")
    if not line.strip():
        raise InputError(f"{where}: its first line is empty; write the secret there")
    return line


def without_traces(text: str) -> str:
    """Return a secret from an environment variable without what a file left at its ends.

    `$(cat FILE)` keeps a byte-order mark, and the carriage return of a file from Windows.
    """
    return text.removeprefix("\ufeff").rstrip("\r\n")
