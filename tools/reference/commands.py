"""docs/reference/commands.md: every command of the package, made from its click objects."""

import tomllib
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

import click

from tools.reference.settings import code, table
from turbo_stream import Settings
from turbo_stream._util.option import OptionField, option_fields

_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

_INTRODUCTION = """\
# Commands

Each prints this with `-h` or `--help`, and its version with `--version`. Options that choose models
and how they decide are the same everywhere and stand in [settings](settings.md).

| exit status | |
| --- | --- |
| 0 | done; also after Ctrl-C or SIGTERM, when what was heard until then has been decided |
| 1 | failed while running |
| 2 | bad use or bad input |

A failure ends in one line on standard error that says what was given, what is allowed and what to
do. What else gives status 1 stands with the command.
"""

_SETTINGS = {f"--{one.flag}": one for one in option_fields(Settings)}

_SAID_ONCE = {"--help", "--version"}


def programs() -> dict[str, click.Command]:
    """Return the commands that installing the package makes, by name."""
    scripts = tomllib.loads(_PYPROJECT.read_text("utf-8"))["project"]["scripts"]
    return {name: _command(name, entry) for name, entry in sorted(scripts.items())}


def with_subcommands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield a command under its full name, then those of a group: `turbo-bench listen`."""
    yield name, command
    if isinstance(command, click.Group):
        for part, subcommand in sorted(command.commands.items()):
            yield from with_subcommands(f"{name} {part}", subcommand)


def commands_page() -> str:
    """Return the page."""
    sections = [
        _section(name, command)
        for program, found in programs().items()
        for name, command in with_subcommands(program, found)
    ]
    return "\n".join([_INTRODUCTION, *sections])


def _command(name: str, entry: str) -> click.Command:
    """Return the click object behind an entry point, `turbo_stream.cli.entry:MODULE`."""
    module = import_module(entry.replace("entry:", ""))
    return next(
        value
        for value in vars(module).values()
        if isinstance(value, click.Command) and value.name == name
    )


def _section(name: str, command: click.Command) -> str:
    usage = command.collect_usage_pieces(click.Context(command, info_name=name))
    parts = [
        f"{'###' if ' ' in name else '##'} {name}\n",
        f"```\n{' '.join([name, *usage])}\n```\n",
        f"{cleandoc(command.help or '')}\n",
    ]
    options = [
        one
        for one in command.params
        if isinstance(one, click.Option) and not _SAID_ONCE & set(one.opts)
    ]
    settings = [one for one in options if _setting(one) is not None]
    if settings:
        parts.append(_of_settings(settings))
    own = [one for one in options if one not in settings]
    if own:
        rows = ((_spelling(one), *_help_and_default(one)) for one in own)
        parts.append(table(("option", "what it is", "default, bounds"), rows))
    return "\n".join(parts)


def _setting(option: click.Option) -> OptionField | None:
    """Return the field of `Settings` that `option` is; None for one of the command's own."""
    found = _SETTINGS.get(max(option.opts, key=len))
    own = found is None or option.name != found.name or option.multiple != found.repeatable
    return None if own else found


def _of_settings(taken: list[click.Option]) -> str:
    """Return which settings a command takes, and which of their defaults are its own."""
    flags = [max(one.opts, key=len) for one in taken]
    left_out = ", ".join(code(flag) for flag in _SETTINGS if flag not in flags)
    if not left_out:
        text = "Takes all [settings](settings.md)"
    elif 2 * len(flags) > len(_SETTINGS):
        text = f"Takes all [settings](settings.md) but {left_out}"
    else:
        text = f"Of the [settings](settings.md) it takes {', '.join(map(code, flags))}"
    for one in taken:
        field = _setting(one)
        if field is not None and one.default != field.default:
            text += f"; the default of `--{field.flag}` is `{one.default}` here"
    return f"{text}.\n"


def _spelling(option: click.Option) -> str:
    names = ", ".join(code(name) for name in (*option.opts, *option.secondary_opts))
    if option.is_flag:
        return names
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    metavar = option.metavar or "|".join(map(str, choices)) or option.type.name.split()[0].upper()
    return f"{names[:-1]} {metavar}`"


def _help_and_default(option: click.Option) -> tuple[str, str]:
    """Return the help, and what it says in brackets or click would add: default and bounds."""
    text, _, notes = (option.help or "").partition("  [")
    told = [notes.rstrip("]")] if notes else []
    if option.required:
        told.append("required")
    if option.show_default:
        values = option.default if isinstance(option.default, tuple) else (option.default,)
        told.append("default: " + ", ".join(map(_plain, values)))
    if isinstance(option.type, (click.IntRange, click.FloatRange)):
        told.append(_bounds(option.type))
    return text, "; ".join(told).removeprefix("default: ")


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bounds(range_: click.IntRange | click.FloatRange) -> str:
    low = "" if range_.min is None else f"{'above' if range_.min_open else 'from'} {range_.min:g}"
    high = "" if range_.max is None else f"{'below' if range_.max_open else 'to'} {range_.max:g}"
    return f"{low} {high}".strip()
