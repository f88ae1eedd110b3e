"""Commands, options, modules and files that the pages name exist, and commands can be typed so."""

import importlib
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest

import turbo_stream
from tests.support.pages import PAGES, WRITTEN, Command, commands, name_of, spans, spoken
from tests.support.paths import ROOT
from tools.reference.commands import programs, with_subcommands

SHOWN = [one for page in WRITTEN for one in commands(page)]
SPOKEN = [one for page in PAGES for one in spoken(page)]

OF_OTHERS = {"--build-arg", "--error-command", "--pdb"}
"""Options of docker, pytest and wyoming-satellite that the prose names."""


def named_by(found: list[Command]) -> list[Any]:
    """Return the programs as parameters of a test; those that may import torch are slow."""
    programs = sorted({one.program for one in found})
    return [
        pytest.param(one, marks=() if one.startswith("turbo-") else pytest.mark.slow)
        for one in programs
    ]


def command_of(program: str) -> click.Command:
    """Return the click object of `turbo-...` or of the module after `python -m`; skip a test where
    a library that it needs is missing."""
    if program.startswith("turbo-"):
        return programs()[program]
    spec = find_spec(program)
    assert spec is not None, f"there is no {program}"
    module = f"{program}.__main__" if spec.submodule_search_locations else program
    try:
        return next(
            value
            for value in vars(importlib.import_module(module)).values()
            if isinstance(value, click.Command)
        )
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] in ("turbo_stream", "models", "training", "tools"):
            raise
        pytest.skip(f"{program} needs {error.name}")


def subcommand(command: click.Command, given: Command) -> tuple[click.Command, list[str]]:
    """Return the command of a group that is meant, and what follows its name."""
    arguments = list(given.arguments)
    while isinstance(command, click.Group) and arguments:
        assert arguments[0] in command.commands, f"{given} has no {arguments[0]}"
        command = command.commands[arguments.pop(0)]
    return command, arguments


@pytest.mark.parametrize("program", named_by(SHOWN))
def test_what_is_shown_can_be_typed(program: str) -> None:
    found = command_of(program)
    for given in SHOWN:
        if given.program == program:
            command, arguments = subcommand(found, given)
            context = click.Context(command, info_name=program)
            try:
                values, left, order = command.make_parser(context).parse_args(list(arguments))
            except click.UsageError as error:
                pytest.fail(f"{given}: {error.format_message()}")
            taken = {parameter for parameter in order if parameter.name in values}
            missing = [one.name for one in command.params if one.required and one not in taken]
            assert not left and not missing, f"{given}: too much {left}, too little {missing}"


@pytest.mark.parametrize("program", named_by(SPOKEN))
def test_what_is_spoken_of_exists(program: str) -> None:
    found = command_of(program)
    for given in SPOKEN:
        if given.program == program:
            command, arguments = subcommand(found, given)
            assert not set(flags(arguments)) - set(options(command)), given


def flags(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if re.match("--[a-z]", word)]


def options(command: click.Command) -> list[str]:
    return [
        name
        for one in command.get_params(click.Context(command))
        if isinstance(one, click.Option)
        for name in (*one.opts, *one.secondary_opts)
    ]


@pytest.mark.slow
def test_every_option_in_the_prose_is_one() -> None:
    known = {
        name
        for program in {one.program for one in (*SHOWN, *SPOKEN)}
        for _, command in with_subcommands(program, command_of(program))
        for name in options(command)
    }
    wrong = [
        f"{name_of(page)}:{line} {text}"
        for page in PAGES
        for line, text in spans(page)
        if text.startswith("--") and not set(flags(text.split())) <= known | OF_OTHERS
    ]
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_that_it_names_exist(page: Path) -> None:
    # CONTRIBUTING.md names what is in turbo_stream/ by the rooms in it.
    beside = [ROOT, *([ROOT / "turbo_stream"] if page.name == "CONTRIBUTING.md" else [])]
    rooms = {path.name for folder in beside for path in folder.iterdir() if path.is_dir()}
    missing = [
        f"{line}: {text}"
        for line, text in spans(page)
        # Without placeholders: NODE, NAME.
        if re.fullmatch(r"[a-z_]+(/(?![A-Z]{2})[\w.-]+)+/?", text)
        # What training writes there is not in the repository.
        and text.split("/")[0] in rooms - {"results"}
        and not any((folder / text).exists() for folder in beside)
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_it_names_exist(page: Path) -> None:
    names = {
        text
        for _, text in spans(page)
        if re.fullmatch(r"(turbo_stream|models|training|tools)(\.\w+)+", text)
    }
    assert not [name for name in sorted(names) if not is_module_or_member(name)]


def is_module_or_member(name: str) -> bool:
    """Whether `name` is a module, or a public name of the package."""
    room, _, rest = name.partition(".")
    if room == "turbo_stream" and rest in turbo_stream.__all__:
        return True
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.slow
def test_configurations_of_training_that_are_shown_can_be_made() -> None:
    pytest.importorskip("torch")
    from training.fitting.recipe import build_recipe

    programs = ("training.train", "training.crossval", "training.crossval.pairs")
    for given in SHOWN:
        if given.program in programs:
            name, *rest = given.arguments
            build_recipe(name, [one for one in rest if re.match(r"[a-z_.]+=", one)])
    keys = {
        word.partition("=")[0]
        for page in WRITTEN
        for _, text in spans(page)
        for word in text.split()
        # `model.bin` is a file.
        if re.match(r"(train|data|model|objective)\.(?!bin\b)[a-z_]+(=|$)", word)
    }
    assert keys
    for key in sorted(keys):
        config: Any = build_recipe("rej", [])
        for part in key.split("."):
            assert hasattr(config, part), key
            config = getattr(config, part)
