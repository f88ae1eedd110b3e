"""What a learner remembers, keeps and gives up."""

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

from tests.learning.conftest import MODEL, made_example, made_vectors
from tests.support.paths import ROOT
from turbo_stream._util.files import PARTIAL
from turbo_stream._util.shared_file import alone_with
from turbo_stream.errors import InputError
from turbo_stream.learning import learner as learner_module
from turbo_stream.learning.example_file import ExampleFile
from turbo_stream.learning.learner import REMEMBERED, REMEMBERED_S, Learner


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "learned.json"


def ids(path: Path) -> list[str]:
    return list(ExampleFile.read(path).examples)


def wait_for(truth) -> None:
    until = time.monotonic() + 10
    while not truth() and time.monotonic() < until:
        time.sleep(0.01)
    assert truth()


def test_nothing_is_written_before_the_first_correction(path: Path) -> None:
    learner = Learner(path, MODEL)
    for index in range(5):
        learner.remember(made_vectors(index))
    assert list(path.parent.iterdir()) == []
    assert learner.learned.to_json() == {
        **{"state": "waiting", "directed": 0, "other": 0},
        "wanted": learner.learned.wanted,
    }


def test_only_what_was_corrected_is_kept(path: Path) -> None:
    learner = Learner(path, MODEL)
    given = [learner.remember(made_vectors(index)) for index in range(5)]
    assert len(set(given)) == 5
    learned = learner.correct(given[2], True, origin="page")
    assert (learned.directed, learned.other) == (1, 0)
    (kept,) = ExampleFile.read(path).examples.values()
    assert (kept.vectors.audio == made_vectors(2).audio).all()
    assert kept.directed and kept.origin == "page" and kept.time_s % 86_400 == 0


def test_a_second_correction_takes_the_place_of_the_first(path: Path) -> None:
    learner = Learner(path, MODEL)
    key = learner.remember(made_vectors())
    learner.correct(key, True)
    learned = learner.correct(key, False)
    assert (learned.directed, learned.other) == (0, 1) and ids(path) == [key]


def test_the_last_so_many_are_remembered_and_no_longer_than_so_long(path: Path) -> None:
    now = 0.0
    learner = Learner(path, MODEL, clock=lambda: now)
    given = [learner.remember(made_vectors(index)) for index in range(REMEMBERED + 1)]
    with pytest.raises(InputError, match="no such utterance"):
        learner.correct(given[0], True)
    now = REMEMBERED_S - 1
    learner.correct(given[1], True)
    now = REMEMBERED_S + 1
    with pytest.raises(InputError, match="10 minutes"):
        learner.correct(given[2], True)


def test_what_is_too_old_is_gone_though_nobody_speaks(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(learner_module, "REMEMBERED_S", 0.2)
    learner = Learner(path, MODEL)
    for index in range(3):
        learner.remember(made_vectors(index))
    assert learner._remembered
    wait_for(lambda: not learner._remembered)
    learner.remember(made_vectors())
    wait_for(lambda: not learner._remembered)


@pytest.mark.parametrize("key", ["", "nonsense", None, 7, "../learned"])
def test_ids_that_nobody_gave_are_refused(path: Path, key) -> None:
    with pytest.raises(InputError, match="`correction_id`"):
        Learner(path, MODEL).correct(key, True)


def test_undo_goes_back_one_by_one_and_forget_erases(path: Path) -> None:
    learner = Learner(path, MODEL)
    given = [learner.remember(made_vectors(index)) for index in range(3)]
    for key in given:
        learner.correct(key, True)
    assert learner.undo().directed == 2 and ids(path) == given[:2]
    learner.forget()
    assert list(path.parent.iterdir()) == [] and learner.learned.directed == 0
    with pytest.raises(InputError, match="no such utterance"):
        learner.correct(given[0], True)
    with pytest.raises(InputError, match="no correction to undo"):
        learner.undo()


def test_what_was_learned_is_there_after_a_restart(path: Path) -> None:
    learner = Learner(path, MODEL)
    learner.add(made_example(index) for index in range(40))
    again = Learner(path, MODEL)
    assert again.learned == learner.learned
    probe = made_vectors(99)
    assert again.change(probe) == learner.change(probe)


def test_what_another_process_has_erased_is_forgotten_here(path: Path) -> None:
    mine, other = Learner(path, MODEL), Learner(path, MODEL)
    mine.correct(mine.remember(made_vectors()), True)
    other.remember(made_vectors())
    wait_for(lambda: other.learned.directed == 1)
    other.forget()
    mine.remember(made_vectors())
    wait_for(lambda: mine.learned.directed == 0)


def test_a_file_that_is_damaged_meanwhile_is_used_no_more(path: Path, caplog) -> None:
    learner = Learner(path, MODEL)
    learner.correct(learner.remember(made_vectors()), True)
    path.write_text("{")
    key = learner.remember(made_vectors(1))
    wait_for(lambda: "not used any more" in caplog.text)
    assert learner.learned.directed == 0
    with pytest.raises(InputError, match="no file of corrections"):
        learner.correct(key, True)
    assert path.read_text() == "{"


def test_many_threads_lose_nothing(path: Path) -> None:
    learner = Learner(path, MODEL)

    def work(number: int) -> None:
        for index in range(5):
            key = learner.remember(made_vectors(10 * number + index))
            learner.correct(key, bool(index % 2))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids(path)) == 20


WORK = """
import sys
from pathlib import Path
from tests.learning.conftest import MODEL, made_vectors
from turbo_stream.learning.learner import Learner
learner = Learner(Path(sys.argv[1]), MODEL)
for index in range(10):
    learner.correct(learner.remember(made_vectors(index + int(sys.argv[2]))), True)
"""


def test_two_processes_lose_nothing(path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(path), str(first)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for first in (0, 50)
    ]
    assert [one.wait(60) for one in running] == [0, 0]
    assert len(ids(path)) == 20
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        Learner(tmp_path / "none" / "learned.json", MODEL)


def test_a_folder_that_cannot_be_written_is_said_at_once(path: Path, monkeypatch, caplog) -> None:
    learner = Learner(path, MODEL)
    learner.correct(learner.remember(made_vectors()), True)
    # Whoever runs the tests may be one who may write everywhere.
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    with pytest.raises(InputError, match="cannot be written"):
        Learner(path.with_name("another.json"), MODEL)
    with caplog.at_level("WARNING"):
        assert Learner(path, MODEL).learned.directed == 1
    assert "no correction can be kept" in caplog.text


def test_no_lock_makes_a_folder(tmp_path) -> None:
    with pytest.raises(InputError, match="no folder"):
        alone_with(tmp_path / "none" / "learned.json")
    assert list(tmp_path.iterdir()) == []


def test_no_stream_waits_while_a_correction_is_learned(path: Path, monkeypatch) -> None:
    learner = Learner(path, MODEL)
    key = learner.remember(made_vectors())
    honest, begun, go_on = learner_module.judge, threading.Event(), threading.Event()
    fits = []

    def slow(*given):
        fits.append(len(given[0]))
        begun.set()
        assert go_on.wait(30)
        return honest(*given)

    monkeypatch.setattr(learner_module, "judge", slow)
    correcting = threading.Thread(target=learner.correct, args=(key, True))
    correcting.start()
    assert begun.wait(10)
    remembering = threading.Thread(target=learner.remember, args=(made_vectors(1),))
    remembering.start()
    remembering.join(10)
    assert not remembering.is_alive()
    go_on.set()
    correcting.join(10)
    wait_for(lambda: not any(one.name == "turbo-learning" for one in threading.enumerate()))
    assert fits == [1], "what it has written itself is not learned from again"


def test_what_another_process_erases_during_a_fit_is_not_used(path: Path, monkeypatch) -> None:
    learner = Learner(path, MODEL)
    key = learner.remember(made_vectors())
    judge = learner_module.judge

    def meanwhile(*given):
        path.unlink(missing_ok=True)
        return judge(*given)

    monkeypatch.setattr(learner_module, "judge", meanwhile)
    assert learner.correct(key, True).directed == 1
    monkeypatch.setattr(learner_module, "judge", judge)
    learner.remember(made_vectors(1))
    wait_for(lambda: learner.learned.directed == 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"origin": "button"}, "`origin` is 'button'"),
        ({"directed": "false"}, "`directed` is 'false'"),
        ({"directed": None}, "`directed` is 'None'"),
        ({"weight": 0}, "`weight` is 0"),
        ({"weight": float("nan")}, "`weight` is nan"),
    ],
)
def test_what_no_file_could_hold_is_refused_and_not_kept(path: Path, given, message) -> None:
    learner = Learner(path, MODEL)
    key = learner.remember(made_vectors())
    with pytest.raises(InputError, match=message):
        learner.correct(key, **{"directed": True} | given)
    assert not path.exists() and learner.correct(key, True).directed == 1


def test_a_learner_that_is_let_go_keeps_no_vectors(path: Path) -> None:
    learner = Learner(path, MODEL)
    learner.remember(made_vectors())
    there = weakref.ref(learner)
    del learner
    gc.collect()
    assert there() is None


@pytest.mark.skipif(os.name != "posix", reason="links and modes are those of POSIX")
def test_forgetting_leaves_nothing_behind_a_link_or_of_a_killed_write(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    partial = path.with_name(f".{path.name}{PARTIAL}")
    partial.touch(0o644)
    learner = Learner(link, MODEL)
    learner.correct(learner.remember(made_vectors()), True)
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o600
    partial.write_text("of a killed write")
    learner.forget()
    assert list(path.parent.iterdir()) == []
