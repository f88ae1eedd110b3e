from __future__ import annotations

from pathlib import Path

import click
import pytest

from turbo_stream.cli.command import run_command
from turbo_stream.cli.config_file import read_config
from turbo_stream.cli.window import window_options
from turbo_stream.recognition.window import WindowConfig


@click.command("turbo-test")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    callback=read_config,
    is_eager=True,
    expose_value=False,
)
@window_options
def show(*, window: WindowConfig) -> None:
    print(window.floor_s, window.margin_s)


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "10.0 4.0"),
        (["--window-floor", "4"], "4.0 4.0"),
        (["--window-floor", "0", "--window-margin", "0.5"], "0.0 0.5"),
        (["--config", "window.toml"], "15.0 4.0"),
        (["--config", "window.toml", "--window-floor", "6"], "6.0 4.0"),
    ],
)
def test_options_and_file_make_one_window(tmp_path, monkeypatch, capsys, options, shown) -> None:
    monkeypatch.chdir(tmp_path)
    Path("window.toml").write_text("window-floor = 15\n", "utf-8")
    assert run_command(show, options) == 0
    assert capsys.readouterr().out.strip() == shown


def test_a_bad_window_ends_with_2(capsys) -> None:
    assert run_command(show, ["--window-margin", "-1"]) == 2
    assert capsys.readouterr().err.startswith("turbo-test: a window margin of -1 s")
