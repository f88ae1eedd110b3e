"""The files of a PocketSphinx model, looked through before PocketSphinx takes them as given."""

import struct
from pathlib import Path

from turbo_stream._util.files import open_regular, read_file
from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError

_MOST_BYTES = 256 * 2**20
"""Of a dictionary; ours has not one MiB."""

_TRIE = b"Trie Language Model"
_HEAD_BYTES = 128


def model_options(model: Path) -> dict[str, str]:
    """Return PocketSphinx's options for the files of a folder, by absolute paths.

    Raises:
        InputError: one of them is missing, cannot be read or is damaged.
    """
    options = {}
    for key, file in (("lm", "lm.bin"), ("dict", "words.dict")):
        path = model / file
        if not path.is_file():
            raise InputError(
                f"{shown(model)} has no {file}: give a folder with lm.bin and words.dict, "
                "as tools.recognizers.pocketsphinx_lm.__main__ writes it"
            )
        options[key] = str(path.absolute())
    for file, check in (("lm.bin", _check_ngrams), ("words.dict", _check_dictionary)):
        try:
            check(model / file)
        except (OSError, ValueError) as error:
            told = f"{shown(model / file)} is damaged ({error}); make the folder again"
            raise InputError(told) from error
    return options


def _check_ngrams(path: Path) -> None:
    """Raise ValueError where the head tells of more than the file holds.

    PocketSphinx ends the process that cannot give it as much memory as the head asks for.
    """
    with open_regular(path) as file:
        head = file.read(_HEAD_BYTES)
    if not head.startswith(_TRIE):
        return  # of another kind, or none: PocketSphinx says so
    order, *counts = head[len(_TRIE) :] or b"\0"
    length = 4 * order
    if not order or len(counts) < length:
        raise ValueError(f"it tells of sequences of {order} words")
    told = sum(struct.unpack(f"<{order}I", bytes(counts[:length])))
    if told > path.stat().st_size:
        raise ValueError(f"it tells of {told:,} sequences of words, more than it can hold")


def _check_dictionary(path: Path) -> None:
    """Raise ValueError where no line is a word and its phones: PocketSphinx reads it as empty."""
    lines = read_file(path, _MOST_BYTES).decode("utf-8").splitlines()
    if not any(len(line.split()) > 1 for line in lines):
        raise ValueError("no line of it is a word and its phones")
