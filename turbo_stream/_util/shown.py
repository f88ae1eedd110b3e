"""Names that people gave to files, fit for one line of text."""

from pathlib import PurePath


def shown(name: str | PurePath) -> str:
    r"""Return `name` with what cannot be printed or encoded as an escape, such as `caf\xe9.wav`.

    A file name may be any bytes: what is no UTF-8, a line break, a terminal's control sequence.
    """
    return "".join(
        character if character.isprintable() else _escape(character) for character in str(name)
    )


def _escape(character: str) -> str:
    code = ord(character)
    # How Python carries a byte of a name that is no UTF-8.
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
