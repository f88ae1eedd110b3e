"""A damaged journal of `turbo-eval` costs rows at most: none comes back other than it was."""

from pathlib import Path

import numpy as np
import pytest

from tests.attacks.conftest import Attack
from turbo_stream.errors import InputError
from turbo_stream.evaluation.scoring._journal import JOURNAL_NAME, Journal

ROWS = {
    index: {"text": "ein 'Wort' é" * index, "directed_probability": index / 7} for index in range(6)
}


def damaged(content: bytes, chance: np.random.Generator) -> bytes:
    """Return `content` with a few bytes other, added, doubled or cut off."""
    found = bytearray(content)
    for _ in range(chance.integers(1, 5)):
        at, size = int(chance.integers(len(found) + 1)), int(chance.integers(1, 30))
        piece = bytes(found[at : at + size])
        kind = chance.integers(5)
        if kind == 0 and at < len(found):
            found[at] ^= 1 << int(chance.integers(8))
        elif kind == 1:
            found[at:at] = chance.bytes(size)
        elif kind == 2:
            found[at:at] = piece
        elif kind == 3:
            del found[at : at + size]
        elif kind == 4:
            del found[at:]
    return bytes(found)


def test_a_damaged_journal_gives_back_what_was_written_or_says_why_not(
    attack: Attack, tmp_path: Path
) -> None:
    with Journal(tmp_path, "run") as journal:
        for index, row in ROWS.items():
            journal.add(index, row)
    path = tmp_path / JOURNAL_NAME
    whole = path.read_bytes()
    for chance in attack.inputs(at_least=200):
        content = damaged(whole, chance)
        path.write_bytes(content)
        try:
            with Journal(tmp_path, "run") as journal:
                assert journal.rows.items() <= ROWS.items()
                for index in ROWS.keys() - journal.rows.keys():
                    journal.add(index, ROWS[index])
        except InputError as refused:
            assert "\n" not in str(refused)
            assert path.read_bytes() == content
            continue
        with Journal(tmp_path, "run") as journal:
            assert journal.rows == ROWS


def test_a_checksum_that_is_not_looked_at_is_found_out(monkeypatch, tmp_path: Path) -> None:
    """The attack above can fail: without the checksums it does."""
    monkeypatch.setattr("turbo_stream.evaluation.scoring._journal._checksum", lambda *_: 0)
    with pytest.raises(AssertionError):
        test_a_damaged_journal_gives_back_what_was_written_or_says_why_not(
            Attack("without checksums", 0.0, 0), tmp_path
        )
