"""Texts from outside, fit for one line of a terminal: names of files, what was recognized."""

import re
import unicodedata
from pathlib import PurePath

_JOINERS = "\u200c\u200d"
"""They belong to words of Persian and Hindi, and to emoji, and move nothing on a screen."""


def shown(text: str | PurePath) -> str:
    r"""Return `text` with what cannot be printed or encoded as an escape, such as `caf\xe9.wav`.

    A file name may be any bytes: what is no UTF-8, a line break, a terminal's control sequence. A
    text may turn the order of what is written around it. What is escaped already stays as it is.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(character if _harmless(character) else _escape(character) for character in text)


def shown_lines(text: str) -> str:
    """Return `text` as `shown` does, and leave its ends of lines and tabs."""
    return re.sub(r"[^\n\t]+", lambda part: shown(part[0]), text)


def _harmless(character: str) -> bool:
    return (
        character.isprintable()
        or character in _JOINERS
        # Blanks of other widths.
        or unicodedata.category(character) == "Zs"
    )


def _escape(character: str) -> str:
    code = ord(character)
    # How Python carries a byte of a name that is no UTF-8.
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
