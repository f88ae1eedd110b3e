"""`--config`: every option as a TOML key, the command line wins, mistakes are named."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from turbo_stream.cli.config_file import config_option


@click.command()
@click.argument("source", required=False)
@config_option
@click.option("--jsonl", is_flag=True)
@click.option("--threshold", type=float)
@click.option("--cups", type=int)
@click.option("--operating-point")
@click.option("--name", "names", multiple=True)
def command(**options) -> None:
    click.echo(sorted(options.items()))


def run(tmp_path: Path, toml: str, *arguments: str):
    path = tmp_path / "listen.toml"
    path.write_text(toml, "utf-8")
    return CliRunner().invoke(command, ["--config", str(path), *arguments])


def options(result) -> dict:
    assert result.exit_code == 0, result.output
    return dict(eval(result.output))


def test_every_kind_of_option_and_the_argument(tmp_path: Path) -> None:
    toml = """
        source = "kitchen.flac"
        jsonl = true
        threshold = 0.7
        operating_point = "fa1"
        name = ["friday", "computer"]
    """
    assert options(run(tmp_path, toml)) == {
        "source": "kitchen.flac",
        "jsonl": True,
        "threshold": 0.7,
        "cups": None,
        "operating_point": "fa1",
        "names": ("friday", "computer"),
    }


def test_the_command_line_wins(tmp_path: Path) -> None:
    toml = 'threshold = 0.7\nname = "friday"\noperating-point = "fa1"'
    found = options(run(tmp_path, toml, "--threshold", "0.2", "--name", "amelia"))
    assert found["threshold"] == 0.2
    assert found["names"] == ("amelia",)
    assert found["operating_point"] == "fa1"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("treshold = 0.5", "unknown key 'treshold'; allowed: cups, jsonl, name, operating-point"),
        ("threshold = [0.5]", "threshold = [0.5] is not allowed; give one value"),
        ("threshold = true", "give a value, not true or false"),
        ("threshold = 1" + "0" * 400, "give a finite number"),
        ("threshold = 1" + "0" * 5000, "cannot be read as TOML"),
        ("threshold = 1e999", "threshold = inf is not allowed; give a finite number"),
        ("threshold = 2026-11-29", "give a text or a number"),
        ("name = [true]", "give a text or a number"),
        ("cups = 2.5", "cups = 2.5 is not allowed; give a whole number"),
        ("cups = inf", "give a finite number"),
        ('jsonl = "yes"', "give true or false"),
        ('threshold = "high"', "'high' is not a valid float"),
        ("threshold = = 1", "cannot be read as TOML"),
        ("config = 'other.toml'", "unknown key 'config'"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, toml: str, said: str) -> None:
    result = run(tmp_path, toml)
    assert result.exit_code == 2
    assert said in " ".join(result.output.split())


def test_a_byte_order_mark_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "listen.toml"
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_text('name = "Zoë"', encoding)
        result = CliRunner().invoke(command, ["--config", str(path)])
        assert options(result)["names"] == ("Zoë",)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--config", str(tmp_path / "none.toml")])
    assert result.exit_code == 2 and "none.toml cannot be read" in result.output
