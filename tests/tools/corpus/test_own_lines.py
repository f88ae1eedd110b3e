import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.corpus.own_lines import FOLDER, main, own_lines, read_own_lines
from tools.corpus.own_texts import names
from turbo_stream.errors import InputError


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def test_lines_have_their_kind_and_the_turn_before(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        {
            "directed/answers.txt": "which room? => the hall\n\n# a remark\ndim it\n",
            "not_directed/chat.txt": "i told {name} twice\n",
            "pairs.txt": "# the turn before decides\nD\twhich one?\tthe red\nN\tmine?\tthe red\n",
        },
    )
    answer, plain, told, first, second = read_own_lines(folder)
    assert (answer.text, answer.before, answer.conv) == ("the hall", "which room?", "answers")
    assert (plain.text, plain.before, plain.label) == ("dim it", None, "directed")
    assert told.called("nova").text == "i told nova twice"
    assert told.called("nova").device_name == "nova"
    assert plain.called("nova").device_name is None
    assert (first.conv, first.fold, first.text) == (second.conv, second.fold, second.text)
    assert (first.label, second.label) == ("directed", "not_directed")


@pytest.mark.parametrize("line", ["D\tonly the turn before", "D\t\t", "X\t\tgo on", "N\t\tgo on"])
def test_a_pair_that_is_none_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"pairs\.txt, line 1"):
        read_own_lines(written(tmp_path, {"pairs.txt": f"{line}\n"}))


def test_written_lines_are_what_they_should_be() -> None:
    lines = read_own_lines(FOLDER)
    assert min(Counter(line.label for line in lines).values()) > 3000
    said = Counter((line.before, line.text) for line in lines)
    assert [twice for twice, times in said.items() if times > 1] == []
    assert [line.text for line in lines if len(line.text.split()) > 60] == []
    assert {
        line.text for line in lines if "=>" in line.text or "{" in line.called("nova").text
    } == set()
    kinds: dict[str, set[str]] = {}
    for line in lines:
        if line.kind != "pairs":
            kinds.setdefault(line.kind, set()).add(line.label)
    assert all(len(labels) == 1 for labels in kinds.values())


def test_names_are_those_of_the_side() -> None:
    named = [item for item in own_lines() if item.device_name]
    assert named
    for item in named:
        assert item.device_name in names("names", item.fold)
        assert item.device_name in item.text


def test_a_file_of_texts_is_written(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--out", str(tmp_path / "texts")])
    assert result.exit_code == 0, result.output
    with gzip.open(tmp_path / "texts" / "own_lines.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert len(rows) == len(read_own_lines())
    assert {row["label"] for row in rows} == {"directed", "not_directed"}
    # A training puts names of its own into the place of the name.
    assert any("{name}" in row["text"] for row in rows)
    assert not any("{name}" in (row["before"] or "") for row in rows)
