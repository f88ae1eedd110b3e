"""No text from outside moves, colours or turns what stands on the terminal."""

import io
import logging
import sys

import click
import pytest
from rich.console import Console

from turbo_stream._util.shown import shown, shown_lines
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command
from turbo_stream.cli.models import models
from turbo_stream.cli.output import open_outputs, say, say_path
from turbo_stream.cli.view.lines import PlainLines
from turbo_stream.cli.view.screen import Screen
from turbo_stream.cli.wording import tell
from turbo_stream.errors import InputError
from turbo_stream.events import GapReported, Partial, Ready, SourceChanged, Utterance

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;http://a\x1b\\b",
    "\x9b31m",
    "a\rb",
    "a\bb",
    "a\nb",
    "a\x7fb",
    "\x0e\x0f",
    "\u202egnp.exe",
    "\u2066a\u2069",
    "\u200f\u200e\u061c",
    "\u2028\u2029\x85",
    "\ufeff\u00ad",
    "\ud800",
    "\U000e0001",
]

HARMLESS = ["küche", "開けて", "می\u200cخواهم", "क्\u200dष", "👩\u200d🍳", "a\u00a0b", "a\u3000b"]


def is_plain(text: str) -> bool:
    return all(c.isprintable() or c in "\n\u200c\u200d\u00a0\u3000" for c in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_obeys_is_escaped_once(text) -> None:
    assert is_plain(shown(text)) and "\n" not in shown(text)
    assert shown(shown(text)) == shown(text)
    assert is_plain(shown_lines(text).replace("\t", ""))


@pytest.mark.parametrize("text", HARMLESS)
def test_words_of_all_languages_stay(text) -> None:
    assert shown(text) == text


def events(text: str) -> list:
    known = {"degraded": (), "directed_probability": 0.9, "threshold": 0.5, "latency_ms": {}}
    accepted = {"decision": "accepted", "reason": None, "asr": {"backend": text}}
    return [
        Ready(text, text, text, 0.5, (text,), version="0.1.0"),
        Partial(0, 1.0, text),
        Utterance(id=0, start_s=1.2, end_s=2.9, text=text, **known, **accepted),
        GapReported(5.0, 8000, text),
        SourceChanged("reconnecting", text),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_view_writes_it(text) -> None:
    lines, screen = io.StringIO(), io.StringIO()
    plain = PlainLines(lines)
    live = Screen(Console(file=screen, width=200, color_system=None, force_terminal=False))
    for event in events(text):
        plain.show(event)
        live.show(event)
        live._console.print(live)
    live.close()
    assert is_plain(lines.getvalue()) and is_plain(screen.getvalue())


@pytest.mark.parametrize("text", HOSTILE)
def test_no_command_says_it(text, capsys, tmp_path) -> None:
    @click.command("turbo-test")
    def refuses() -> None:
        raise InputError(f"{text}: no such thing")

    say(text)
    say(text, sys.stderr)
    tell(refuses, text)
    show(text, {"a": text, "b": [{"c": text, "d": "[bold]x[/bold]"}]}, as_json=False)
    assert run_command(refuses, []) == 2
    assert run_command(refuses, [text.replace("\x00", "")]) == 2
    assert run_command(models, ["verify", text]) == 2
    said = capsys.readouterr()
    assert is_plain(said.out) and is_plain(said.err)
    assert "[bold]x[/bold]" in said.out


def test_a_folder_of_models_is_listed_by_its_plain_name(capsys, tmp_path) -> None:
    folder = tmp_path / "\x1b[2Jmodel [red]"
    folder.mkdir()
    (folder / "manifest.json").write_text("{")
    assert run_command(models, ["list", str(folder)]) in (0, 2)
    said = capsys.readouterr()
    assert is_plain(said.out) and is_plain(said.err)


def test_a_path_is_whole_for_a_program_plain_for_a_person(capsys, monkeypatch, tmp_path) -> None:
    say_path(tmp_path / "\x1b[2J")
    assert "\x1b[2J" in capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    say_path(tmp_path / "\x1b[2J")
    assert r"\x1b[2J" in capsys.readouterr().out


@pytest.mark.parametrize("text", HOSTILE)
def test_no_log_holds_it(text, capsys) -> None:
    open_outputs()
    assert logging.lastResort is not None
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "a text: %s", (text,), None)
    logging.lastResort.handle(record)
    said = capsys.readouterr().err
    assert said.startswith("a text: ") and is_plain(said)
