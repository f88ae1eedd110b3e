"""One dataclass, one field, one line: the option, its TOML key, its check and its flag follow."""

from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from turbo_stream import InputError, Settings
from turbo_stream._util.option import check_bounds, option, option_fields
from turbo_stream.cli.bench import bench_eval, bench_listen
from turbo_stream.cli.command import run_command
from turbo_stream.cli.config_file import config_option
from turbo_stream.cli.evaluate import evaluate
from turbo_stream.cli.listen import listen
from turbo_stream.cli.options import as_arguments, options
from turbo_stream.cli.serve import serve


@dataclass(frozen=True)
class Kettle:
    """As `Settings`, with fields that nothing else knows of."""

    heat_c: float = option(
        60.0, "How hot.", flag="heat", metavar="C", low=20, high=100, below_high=True
    )
    cups: int = option(2, "How many.", low=0, above_low=True)
    teas: tuple[str, ...] = option((), "What is in them; repeatable.", flag="tea")
    recipe: Path | None = option(None, "How.", metavar="FILE", shown_default="by heart")
    whistle: bool = option(False, "Tell when it is done.")
    light: bool = option(True, "Glow.")
    colour: str | None = option(None, "Of the light.", empty="red", env="TURBO_KETTLE_COLOUR")

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.whistle and self.teas == ("mint",):
            raise InputError("`whistle` scares `teas` mint; leave one `out` of it")


@click.command("turbo-kettle")
@config_option
@options(Kettle, "kettle")
@click.option("--loud", is_flag=True)
def brew(*, kettle: Kettle, loud: bool) -> None:
    print(repr(kettle))


def made(capsys, *arguments: str) -> Kettle:
    assert run_command(brew, arguments) == 0
    kettle: Kettle = eval(capsys.readouterr().out, {"Kettle": Kettle, "PosixPath": Path})
    return kettle


def refused(capsys, *arguments: str) -> str:
    assert run_command(brew, arguments) == 2
    said: str = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("cups", [True, 10**400, float("nan"), float("inf"), "2"])
def test_what_is_no_number_is_refused_in_a_short_line(cups) -> None:
    with pytest.raises(InputError, match="`cups` is") as refused:
        Kettle(cups=cups)
    assert len(str(refused.value)) < 120


def test_so_is_one_of_more_digits_than_python_writes() -> None:
    with pytest.raises(InputError, match="thousands of digits"):
        Kettle(cups=10**5000)


def test_without_options_the_defaults_are_the_dataclasss(capsys) -> None:
    assert made(capsys) == Kettle()


def test_each_field_is_an_option(capsys) -> None:
    arguments = ["--heat", "20", "--cups", "3", "--tea", "green", "--tea", "black", "--whistle"]
    arguments += ["--recipe", "tea.txt", "--no-light", "--colour"]
    wanted = Kettle(20.0, 3, ("green", "black"), Path("tea.txt"), True, False, "red")
    assert made(capsys, *arguments) == wanted
    assert made(capsys, "--colour", "blue").colour == "blue"


def test_each_field_is_a_key_of_the_file(capsys, tmp_path: Path) -> None:
    file = tmp_path / "kettle.toml"
    file.write_text(
        'heat = 30\ntea = ["green"]\nlight = false\nwhistle = true\ncups = 4\n', "utf-8"
    )
    config = ["--config", str(file)]
    assert made(capsys, *config) == Kettle(30.0, 4, ("green",), whistle=True, light=False)
    assert made(capsys, *config, "--heat", "40", "--light").heat_c == 40.0
    file.write_text("heat = 100", "utf-8")
    assert "--heat is 100.0" in refused(capsys, *config)
    file.write_text("heat_c = 30", "utf-8")
    assert "unknown key 'heat_c'; allowed: colour, cups, heat, light" in refused(capsys, *config)


def test_a_variable_may_hold_it(capsys, monkeypatch) -> None:
    monkeypatch.setenv("TURBO_KETTLE_COLOUR", "green")
    assert made(capsys).colour == "green"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--heat", "19"], "--heat is 19.0, which is not allowed; give a number from 20 and below"),
        (["--heat", "nan"], "--heat is nan"),
        (["--cups", "0"], "--cups is 0, which is not allowed; give a number above 0"),
        (["--cups", "many"], "'--cups': 'many' is not a valid integer"),
        (["--whistle", "--tea", "mint"], "--whistle scares --tea mint; leave one `out` of it"),
    ],
)
def test_errors_name_flags_where_the_library_named_fields(capsys, arguments, says) -> None:
    assert says in refused(capsys, *arguments)


def test_in_the_library_they_name_fields() -> None:
    with pytest.raises(InputError, match="^`heat_c` is 19, which is not allowed; give a number"):
        Kettle(heat_c=19)


def test_the_help_tells_defaults_bounds_and_variables() -> None:
    said = " ".join(CliRunner().invoke(brew, ["--help"]).output.split())
    for part in (
        "--heat C How hot. [default: 60; from 20 and below 100]",
        "How many. [default: 2; above 0]",
        "--recipe FILE How. [default: by heart]",
        "--light / --no-light",
        "Of the light. [or the variable TURBO_KETTLE_COLOUR]",
    ):
        assert part in said


def test_a_command_may_leave_some_out_and_change_defaults(capsys) -> None:
    @click.command("turbo-pot")
    @options(Kettle, "kettle", without={"light", "teas"}, heat_c=90.0)
    def pot(*, kettle: Kettle) -> None:
        print(kettle.heat_c, kettle.light)

    @click.command("turbo-cup")
    @options(Kettle, "kettle", only={"cups"})
    def cup(*, kettle: Kettle) -> None:
        print(kettle.cups)

    assert run_command(pot, []) == 0 and capsys.readouterr().out == "90.0 True\n"
    assert run_command(pot, ["--tea", "green"]) == 2
    assert run_command(cup, ["--cups", "5"]) == 0 and capsys.readouterr().out == "5\n"
    assert [parameter.name for parameter in cup.params] == ["cups"]
    with pytest.raises(ValueError, match="no options \\['milk'\\]"):
        options(Kettle, "kettle", without={"milk"})


def test_a_group_names_the_flags_of_the_command_that_runs(capsys) -> None:
    group = click.Group("turbo-kitchen", commands={"brew": brew})
    assert run_command(group, ["brew", "--heat", "19"]) == 2
    assert "turbo-kitchen: --heat is 19.0" in capsys.readouterr().err


@pytest.mark.parametrize(
    "kettle",
    [
        Kettle(),
        Kettle(30.5, 3, ("green", "black tea"), Path("tea.txt"), True, False, "blue"),
    ],
)
def test_settings_become_arguments_and_settings_again(capsys, kettle: Kettle) -> None:
    assert made(capsys, *as_arguments(kettle)) == kettle


def test_what_turbo_listen_is_given_reaches_its_settings(capsys) -> None:
    @click.command("turbo-test")
    @options(Settings, "settings")
    def show(*, settings: Settings) -> None:
        print(settings == wanted)

    wanted = Settings(
        model="package",
        names=("friday", "hey"),
        threshold=0.25,
        window_floor_s=4.0,
        turn_model="none",
        show_rejected=True,
        partials=False,
    )
    assert run_command(show, as_arguments(wanted)) == 0
    assert capsys.readouterr().out == "True\n"


@pytest.mark.parametrize(
    "command", [listen, serve, evaluate, bench_listen, bench_eval], ids=lambda one: str(one.name)
)
def test_every_command_over_the_models_takes_all_their_settings(command) -> None:
    names = {parameter.name for parameter in command.params}
    assert {one.name for one in option_fields(Settings)} <= names
    assert "config" in names


def test_the_command_line_wins_over_a_file_that_says_the_same_in_another_way(
    tmp_path: Path, capsys
) -> None:
    @click.command("turbo-test")
    @config_option
    @options(Settings, "settings")
    def show(*, settings: Settings) -> None:
        print(settings.threshold, settings.operating_point)

    path = tmp_path / "c.toml"
    path.write_text('operating-point = "fa1"', "utf-8")
    assert run_command(show, ["--config", str(path), "--threshold", "0.3"]) == 0
    assert capsys.readouterr().out == "0.3 None\n"
    path.write_text('operating-point = "fa1"\nthreshold = 0.3', "utf-8")
    assert run_command(show, ["--config", str(path)]) == 2
    assert "--threshold and --operating-point were both given" in capsys.readouterr().err


def test_none_is_the_default_and_a_name_is_never_empty() -> None:
    given = dict.fromkeys((one.name for one in option_fields(Settings)), None)
    assert Settings(**given) == Settings()
    for names in ("", ("friday", " ")):
        with pytest.raises(InputError, match="`names` is empty"):
            Settings(names=names)
