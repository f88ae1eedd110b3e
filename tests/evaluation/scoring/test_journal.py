"""The journal: nothing scored is lost, redone or doubled, wherever a run was killed."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_stream.errors import InputError
from turbo_stream.evaluation.scoring._journal import JOURNAL_NAME, Journal, fingerprint

ROWS = {2: {"text": "zwei"}, 0: {"text": "null, ümlaut"}, 1: {"text": "eins"}}


def fill(folder: Path, rows: dict[int, dict]) -> None:
    with Journal(folder, "run") as journal:
        for index, row in rows.items():
            journal.add(index, row)


def test_rows_come_out_in_the_manifests_order(tmp_path: Path) -> None:
    fill(tmp_path, ROWS)
    with Journal(tmp_path, "run") as journal:
        assert journal.rows == ROWS
        assert journal.finish() == [ROWS[0], ROWS[1], ROWS[2]]
    lines = (tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [ROWS[0], ROWS[1], ROWS[2]]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.jsonl", JOURNAL_NAME]


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 400))
def test_cut_anywhere_it_goes_on_with_the_whole_lines(tmp_path_factory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    fill(folder, ROWS)
    path = folder / JOURNAL_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:cut])
    with Journal(folder, "run") as journal:
        survived = dict(journal.rows)
        assert survived == dict(list(ROWS.items())[: max(0, whole[:cut].count(b"\n") - 1)])
        for index in ROWS.keys() - survived.keys():
            journal.add(index, ROWS[index])
        assert journal.finish() == [ROWS[0], ROWS[1], ROWS[2]]
    assert path.read_bytes().count(b"\n") == 4


def test_another_run_is_not_mixed_in(tmp_path: Path) -> None:
    fill(tmp_path, ROWS)
    with pytest.raises(InputError, match="holds a run of another manifest, model or settings"):
        Journal(tmp_path, "other")
    assert fingerprint({"a": 1}) == fingerprint({"a": 1}) != fingerprint({"a": 2})


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\0" * 40,
        b"[" * 100_000,
        b"9" * 5_000,
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"index": 1}',
        b'{"index": "1", "row": {}}',
        b'{"index": 1, "row": []}',
        b'{"index": 1, "row": {"text": "zwei"}}',
        b'{"index": 1, "row": {"text": "eins"}, "crc32": 1}',
        b'{"run_fingerprint": "other", "index": 1, "row": {}}',
    ],
)
def test_a_damaged_line_costs_only_its_row(tmp_path: Path, caplog, damage: bytes) -> None:
    fill(tmp_path, ROWS)
    path = tmp_path / JOURNAL_NAME
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    broken = b"".join([*lines[:2], damage + b"\n", lines[3]])
    path.write_bytes(broken)
    with Journal(tmp_path, "run") as journal:
        assert journal.rows == {2: ROWS[2], 1: ROWS[1]}
        journal.add(0, ROWS[0])
    assert "line 3 is damaged" in caplog.text and "\n" not in caplog.messages[0]
    assert (tmp_path / f"{JOURNAL_NAME}.damaged").read_bytes() == broken
    with Journal(tmp_path, "run") as journal:
        assert journal.rows == ROWS


@pytest.mark.parametrize("head", [b"\0" * 400, b"[]\n", b"{}\n", b"my own notes\n", b"\xff\n"])
def test_a_journal_that_does_not_say_whose_it_is_is_left_as_it_is(tmp_path, head: bytes) -> None:
    path = tmp_path / JOURNAL_NAME
    path.write_bytes(head)
    with pytest.raises(InputError, match="delete the file to score everything again") as caught:
        Journal(tmp_path, "run")
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == head


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"`out` .*cannot be written"):
        Journal(tmp_path / "file" / "out", "run")
