"""The list of measurements: complete, and nothing in it that cannot be run."""

from tests.support.paths import ROOT
from tools.measurements.__main__ import main, measurements
from turbo_stream.cli.command import run_command

CHILDREN = {"ours", "plain_loop", "realtime_stt", "steps"}
"""Started by a measurement in processes of their own."""


def test_every_measurement_is_listed_with_its_own_command(capsys) -> None:
    room = ROOT / "tools" / "measurements"
    runnable = set()
    for path in room.glob("*/*.py"):
        if '__name__ == "__main__"' in path.read_text("utf-8") and path.stem not in CHILDREN:
            module = path.parent if path.stem == "__main__" else path.with_suffix("")
            runnable.add(".".join(module.relative_to(ROOT).parts))
    listed = [one.command.split()[2] for one in measurements()]
    assert len(listed) == len(set(listed)) and set(listed) == runnable
    assert run_command(main, []) == 0
    printed = capsys.readouterr().out
    assert all(one.answers in printed and one.command in printed for one in measurements())


def test_a_docstring_answers_in_one_line() -> None:
    for one in measurements():
        assert one.answers.endswith((".", "?")) and len(one.answers) < 101, one
