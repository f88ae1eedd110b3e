"""Texts with separators that are no line ends, line breaks, and halves of characters."""

import json
from pathlib import Path

import pytest

from turbo_stream._util.files import write_json
from turbo_stream._util.unicode_text import json_text, whole_text
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.rows import read_run
from turbo_stream.evaluation.scoring._journal import Journal

SEPARATORS = ["\u2028", "\u2029", "\x85", "\x1c", "\x1d", "\x1e", "\x0b", "\x0c"]
SURROGATES = ["\ud83d", "\udce9", "\ude00\ud83d"]


@pytest.mark.parametrize("odd", [*SEPARATORS, *SURROGATES])
def test_what_is_written_can_be_read_by_line(odd: str, tmp_path: Path) -> None:
    rows = [{"text": f"switch off{odd}the fan", odd: [f"\\{odd}"]}, {"text": "x"}]
    with Journal(tmp_path, "run") as journal:
        for index, row in enumerate(rows):
            journal.add(index, row)
    write_json(tmp_path / "metrics.json", {"run": odd})
    with Journal(tmp_path, "run") as again:
        assert list(again.rows.values()) == rows
        again.finish()
    assert read_run(tmp_path) == (rows, {"run": odd})
    # Whoever else reads them takes more than a line feed for the end of a line.
    assert len((tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_in_a_json_text_end_no_line(separator, end, tmp_path: Path) -> None:
    rows = [{"audio_filepath": f"{i}.wav", "text": f"a{separator}b"} for i in range(3)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + end for row in rows)
    (tmp_path / "m.jsonl").write_bytes(lines.encode())
    assert [item.row for item in read_manifest(tmp_path / "m.jsonl")] == rows


@pytest.mark.parametrize("inside", ["\n", "\r\n", "\r", "\u2028", "\x85", "\x1c", "\x0c"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_breaks_inside_cells_survive(inside, end, tmp_path: Path) -> None:
    said = f"switch off{inside}the fan"
    lines = ["audio_filepath,text,label", f'a.wav,"{said}",directed', "b.wav,no,not_directed", ""]
    (tmp_path / "m.csv").write_bytes(end.join(lines).encode("utf-8-sig"))
    first, second = read_manifest(tmp_path / "m.csv")
    assert (first.text, first.row["label"]) == (said, "directed")
    assert (second.text, second.row["label"]) == ("no", "not_directed")


def test_half_a_character_reaches_no_tokenizer(tmp_path: Path) -> None:
    row = {"audio_filepath": "a.wav", "text": "off \ud83d", "device_name": "\udce9va"}
    row["before"] = "\ud83d on or"
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (item,) = read_manifest(tmp_path / "m.jsonl")
    assert (item.text, item.device_name, item.row) == ("off \ufffd", "\ufffdva", row)
    assert item.before == "\ufffd on or"
    assert whole_text("\ud83d\ude00 caf\u00e9") == "\U0001f600 caf\u00e9"


def test_json_that_is_too_much_is_told_by_line(tmp_path: Path) -> None:
    for odd in ('{"audio_filepath": "a", "n": ' + "1" * 5_000 + "}", "[" * 200_000):
        (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a"}\n' + odd)
        with pytest.raises(InputError, match="line 2 is no JSON"):
            read_manifest(tmp_path / "m.jsonl")


def test_json_text_keeps_what_can_be_kept() -> None:
    assert json_text({"é": "\u2028\ud83d\U0001f600"}) == '{"é": "\\u2028\\ud83d\U0001f600"}'
