"""The `--config` file: any long option of a command as a TOML key."""

import tomllib
from pathlib import Path
from typing import Any

import click


def _read(context: click.Context, parameter: click.Parameter, path: Path | None) -> None:
    """Make the TOML file at `path` the source of defaults; the command line still wins.

    Keys are the long options with `-` or `_` (`operating-point = "fa1"`), `source` the argument.

    Raises:
        click.BadParameter: the file is not readable TOML, or holds a key that is no option.
    """
    if path is None:
        return
    if not path.is_file():
        raise click.BadParameter(f"{path} cannot be read: there is no such file")
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path} cannot be read as TOML: {error}") from error
    allowed = {p.name: p for p in context.command.params if p.name and p is not parameter}
    defaults: dict[str, Any] = {}
    for key, value in given.items():
        # `name` is repeatable and thus `names` in Python; the file spells it as the option.
        name = _parameter_name(key, allowed)
        if name is None:
            known = ", ".join(sorted(_key(p) for p in allowed.values() if _key(p)))
            raise click.BadParameter(f"{path} has the unknown key {key!r}; allowed: {known}")
        defaults[name] = _checked(path, key, value, allowed[name])
    context.default_map = {**(context.default_map or {}), **defaults}


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
        raise click.BadParameter(f"{path}: {key} = {value!r} is not allowed; give {kind}")
    if parameter.multiple and not isinstance(value, list):
        return [value]
    if isinstance(value, (dict, list)) and not parameter.multiple:
        raise click.BadParameter(f"{path}: {key} = {value!r} is not allowed; give one value")
    return value


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    callback=_read,
    is_eager=True,
    expose_value=False,
    help="TOML file with any of these options; the command line wins.",
)
"""Decorates a command whose options may stand in a file."""
