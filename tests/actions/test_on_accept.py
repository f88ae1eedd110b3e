"""Real processes: in order, bounded, and never in the way of listening."""

import json
import os
import shlex
import threading
import time
from pathlib import Path

import pytest

from turbo_stream.actions import _command as command_module
from turbo_stream.actions._command import AcceptCommand, CommandConfig, CommandTemplate
from turbo_stream.actions._webhook_signature import SECRET_VARIABLE

HOSTILE = [
    "$(touch hacked)",
    "`touch hacked`",
    "; touch hacked",
    "' ; touch hacked ; '",
    '" && touch hacked "',
    "line\ntouch hacked\n",
    "| tee hacked",
    "{text} {id} %s \\0",
    "--help",
    "\x1b]0;title\x07 ünïcödé 🎉",
]


def command(template: str, said: list[str], **options) -> AcceptCommand:
    config = CommandConfig(**options.pop("config", {}))
    return AcceptCommand(CommandTemplate.parse(template), say=said.append, config=config, **options)


def shell(script: str, *arguments: str) -> str:
    """Return a template that runs `script`, with `arguments` as its own $0, $1 and so on."""
    return " ".join(["sh", "-c", shlex.quote(script), *arguments])


def test_hostile_words_arrive_as_they_were_said_in_order(
    accepted, said, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    running = command(shell('printf "%s\\0" "$1" >> "$0"', "out", "{text}"), said)
    for number, text in enumerate(HOSTILE):
        running.hand_on(accepted(text, number))
    running.close(60)
    heard = (tmp_path / "out").read_bytes().decode().split("\0")
    assert [text.removeprefix(" --") for text in heard[:-1]] == [
        text.removeprefix("--") for text in HOSTILE
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert said == []


def test_the_event_is_on_standard_input_and_the_secret_nowhere(
    accepted, said, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "0123456789abcdef")
    out = tmp_path / "out"
    script = 'cat > "$0"; env | tr "\\n" " " >> "$0"'
    running = command(shell(script, str(out)), said)
    running.hand_on(accepted())
    running.close(60)
    line, environment = out.read_text().split("\n")
    assert json.loads(line) == json.loads(json.dumps(accepted().to_json()))
    assert "PATH" in environment and "0123456789abcdef" not in environment


def test_what_it_prints_does_not_mix_with_the_events(accepted, said, capfd) -> None:
    running = command("echo {text}", said)
    running.hand_on(accepted())
    running.close(60)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "turn on the lights\n")


@pytest.mark.parametrize(
    ("script", "says"),
    [("exit 3", "ended with status 3"), ("kill -9 $$", "ended by signal 9")],
)
def test_a_failure_is_told_in_one_line_without_the_words(accepted, said, script, says) -> None:
    running = command(shell(script, "{text}"), said)
    running.hand_on(accepted(number=5))
    running.hand_on(accepted(number=6))
    running.close(60)
    assert said == [f"`on_accept`: sh for utterance {n} {says}" for n in (5, 6)]


def test_a_program_that_goes_away_does_not_stop_anything(accepted, said, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    running = command(str(program), said)
    program.unlink()
    running.hand_on(accepted())
    running.close(60)
    assert len(said) == 1 and "cannot be started (No such file" in said[0]


def test_a_command_that_hangs_is_ended_with_its_children(accepted, said, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = 'trap "" TERM; sleep 600 & echo $! > "$0"; wait'
    running = command(shell(script, str(pid)), said, config={"timeout_s": 1.0, "grace_s": 0.2})
    running.hand_on(accepted())
    running.close(60)
    assert said == ["`on_accept`: sh for utterance 0 took longer than 1 s and was ended"]
    assert _gone(int(pid.read_text()))


def test_what_waits_too_long_is_dropped_oldest_first_and_said(accepted, said, tmp_path) -> None:
    go_on, out = tmp_path / "go_on", tmp_path / "out"
    script = f'while [ ! -e {go_on} ]; do sleep 0.02; done; echo "$0" >> {out}'
    running = command(shell(script, "{id}"), said, config={"max_waiting": 2})
    running.hand_on(accepted(number=0))
    _until(lambda: not running._outbox._items)
    for number in (1, 2, 3):
        running.hand_on(accepted(number=number))
    assert said == ["`on_accept`: sh for utterance 1 was not run: those before it took too long"]
    go_on.touch()
    running.close(60)
    assert out.read_text().split() == ["0", "2", "3"]


def test_patience_drops_nothing(accepted, said, tmp_path: Path) -> None:
    out = tmp_path / "out"
    running = command(
        shell(f'echo "$0" >> {out}', "{id}"), said, patient=True, config={"max_waiting": 1}
    )
    for number in range(5):
        running.hand_on(accepted(number=number))
    running.close(60)
    assert out.read_text().split() == list("01234") and said == []


@pytest.mark.parametrize("patient", [False, True])
def test_what_has_waited_too_long_is_not_run_any_more(
    accepted, said, tmp_path, patient, monkeypatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(command_module, "monotonic", lambda: now_s)
    go_on, out = tmp_path / "go_on", tmp_path / "out"
    script = f'echo "$0" >> {out}; while [ ! -e {go_on} ]; do sleep 0.02; done'
    running = command(shell(script, "{id}"), said, patient=patient, config={"timeout_s": 600})
    for number in (0, 1):
        running.hand_on(accepted(number=number))
    assert _until(out.exists)
    now_s = 61.0
    go_on.touch()
    running.close(60)
    assert out.read_text().split() == (["0", "1"] if patient else ["0"])
    assert len(said) == (0 if patient else 1)


def test_the_end_of_listening_waits_for_a_bounded_time(accepted, said) -> None:
    running = command("sleep 600", said)
    running.hand_on(accepted(number=0))
    running.hand_on(accepted(number=1))
    _until(lambda: len(running._outbox._items) == 1)
    running.close(0.2)
    assert sorted(said) == [
        "`on_accept`: sleep for utterance 0 was running and was ended",
        "`on_accept`: sleep for utterance 1 was not run: those before it took too long",
    ]


def test_who_is_in_a_hurry_waits_no_longer(accepted, said) -> None:
    running = command("sleep 600", said)
    running.hand_on(accepted())
    closing = threading.Thread(target=running.close, args=[600])
    closing.start()
    running.hurry()
    closing.join(60)
    assert not closing.is_alive() and len(said) == 1


def test_several_may_run_at_once(accepted, said, tmp_path: Path) -> None:
    """Each waits for a file that only the next one makes."""
    script = f"touch {tmp_path}/$0; while [ ! -e {tmp_path}/$1 ]; do sleep 0.02; done"
    running = command(shell(script, "{id}", "1"), said, config={"at_once": 2})
    for number in (0, 1):
        running.hand_on(accepted(number=number))
    running.close(60)
    assert said == []


def _gone(pid: int) -> bool:
    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]

    return _until(gone)


def _until(condition) -> bool:
    until_s = time.monotonic() + 30
    while time.monotonic() < until_s:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_command_that_needs_a_text_which_is_not_there_is_not_run(
    accepted, said, tmp_path
) -> None:
    script = f'echo "$*" >> {tmp_path}/out'
    for template in (shell(script, "0", "{id}", "{text}"), shell(script, "0", "{id}")):
        running = command(template, said)
        running.hand_on(accepted("", 0, degraded=("asr_late",)))
        running.hand_on(accepted("on", 1))
        running.hand_on(accepted("", 2, asr={"backend": "none"}))
        running.close(60)
    assert (tmp_path / "out").read_text().splitlines() == ["1 on", "2 ", "0", "1", "2"]
    assert said == ["`on_accept`: sh for utterance 0 was not run: no text was made in time"]


def test_what_commands_print_can_be_taken_line_by_line(accepted) -> None:
    lines: list[str] = []
    script = "echo one; echo two >&2; printf three; sleep 30 & exit 0"
    handler = command(shell(script), [], output=lines.append, config={"grace_s": 0.2})
    start = time.monotonic()
    handler.hand_on(accepted())
    handler.close(10)
    assert lines[:2] == ["one", "two"]
    assert time.monotonic() - start < 10, "what runs on in the background is not waited for"
