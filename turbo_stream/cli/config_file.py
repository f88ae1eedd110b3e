"""The `--config` file: any long option of a command as a TOML key."""

import tomllib
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from turbo_stream._util.files import read_file
from turbo_stream._util.option import is_number, shown
from turbo_stream._util.plain_text import decoded

_MOST_BYTES = 2**20


def _read(
    context: click.Context,
    parameter: click.Parameter,
    path: Path | None,
    *,
    beside: Iterable[str] = (),
) -> None:
    """Make the TOML file at `path` the source of defaults; the command line still wins.

    Keys are the long options with `-` or `_` (`operating-point = "fa1"`), `source` the argument.
    Those of the commands `beside` this one are left to them.

    Raises:
        click.BadParameter: the file is not readable TOML, or holds a key that is no option.
    """
    if path is None:
        return
    if not path.is_file():
        raise click.BadParameter(f"{path} cannot be read: there is no such file")
    try:
        given = tomllib.loads(decoded(read_file(path, _MOST_BYTES)))
    except (OSError, ValueError, RecursionError) as error:
        # Also an integer of more digits than Python reads, and lists without end.
        raise click.BadParameter(f"{path} cannot be read as TOML: {error}") from error
    allowed = {p.name: p for p in context.command.params if p.name and p is not parameter}
    defaults: dict[str, Any] = {}
    for key, value in given.items():
        # `name` is repeatable and thus `names` in Python; the file spells it as the option.
        name = _parameter_name(key, allowed)
        if name is None and any(_parameter_name(key, _of(one)) for one in beside):
            continue
        if name is None:
            known = ", ".join(sorted(_key(p) for p in allowed.values() if _key(p)))
            raise click.BadParameter(f"{path} has the unknown key {key!r}; allowed: {known}")
        defaults[name] = _checked(path, key, value, allowed[name])
    context.default_map = {**(context.default_map or {}), **defaults}


def _of(module: str) -> dict[str, click.Parameter]:
    """Return what the command of a module takes."""
    command = getattr(import_module(f"turbo_stream.cli.{module}"), module)
    return {p.name: p for p in command.params if p.name}


def _parameter_name(key: str, allowed: dict[str, click.Parameter]) -> str | None:
    for name, parameter in allowed.items():
        if _key(parameter) == key.replace("_", "-"):
            return name
    return None


def _key(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return str(parameter.name)
    if parameter.expose_value is False:
        return ""
    return max(parameter.opts, key=len).lstrip("-")


def _checked(path: Path, key: str, value: Any, parameter: click.Parameter) -> Any:
    flag = isinstance(parameter, click.Option) and parameter.is_flag
    if flag != isinstance(value, bool):
        kind = "true or false" if flag else "a value, not true or false"
        raise _not_allowed(path, key, value, kind)
    if isinstance(value, list) and not parameter.multiple:
        raise _not_allowed(path, key, value, "one value")
    values = value if isinstance(value, list) else [value]
    for one in values:
        _check_one(path, key, one, parameter)
    return values if parameter.multiple else value


def _check_one(path: Path, key: str, value: Any, parameter: click.Parameter) -> None:
    """Raise `click.BadParameter` for what no option takes, and what click would choke on."""
    if isinstance(parameter, click.Option) and parameter.is_flag:
        return
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise _not_allowed(path, key, value, "a text or a number")
    if isinstance(value, str) and "\0" in value:
        raise _not_allowed(path, key, value, "a text without NUL characters")
    numeric = parameter.type in (click.INT, click.FLOAT)
    if numeric and not isinstance(value, str) and not is_number(value):
        raise _not_allowed(path, key, value, "a finite number")
    if parameter.type is click.INT and isinstance(value, float) and not value.is_integer():
        raise _not_allowed(path, key, value, "a whole number")


def _not_allowed(path: Path, key: str, value: Any, kind: str) -> click.BadParameter:
    return click.BadParameter(f"{path}: {key} = {shown(value)} is not allowed; give {kind}")


def _option(callback: Callable[..., None]) -> Callable[[Any], Any]:
    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        callback=callback,
        is_eager=True,
        expose_value=False,
        help="TOML file with any of these options; the command line wins.",
    )


config_option = _option(_read)
"""Decorates a command whose options may stand in a file."""


def config_option_beside(*modules: str) -> Callable[[Any], Any]:
    """Return what decorates a command that reads a file of others: `listen`, `serve`.

    Keys that are options of those alone are passed over.
    """
    return _option(partial(_read, beside=modules))
