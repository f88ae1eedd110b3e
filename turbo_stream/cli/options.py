"""From the fields of a dataclass to the options of a command, and back to arguments."""

import functools
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from turbo_stream._util.option import OptionField, option_fields

_OVERRULED = (ParameterSource.COMMANDLINE, ParameterSource.DEFAULT_MAP)
_Command = TypeVar("_Command", bound=Callable[..., Any])


def options(
    owner: type,
    keyword: str,
    *,
    only: Collection[str] | None = None,
    without: Collection[str] = (),
    **defaults: Any,
) -> Callable[[_Command], _Command]:
    """Return a decorator that gives a command an option for each field of the dataclass `owner`.

    The command gets an instance as `keyword`; making it raises the dataclass's `InputError`.

    Args:
        owner: a dataclass whose fields are declared with `option`.
        keyword: the command's parameter.
        only: names of the fields that become options; None for all.
        without: names of the fields that do not; these keep their defaults.
        **defaults: defaults of this command that are not those of the dataclass, by field.
    """
    fields = option_fields(owner)
    names = {one.name for one in fields}
    if unknown := {*(only or ()), *without, *defaults} - names:
        raise ValueError(f"{owner.__name__} has no options {sorted(unknown)}")
    chosen = [
        one for one in fields if one.name not in without and (only is None or one.name in only)
    ]

    def decorate(command: _Command) -> _Command:
        @functools.wraps(command)
        def with_options(*args: Any, **given: Any) -> Any:
            values = {one.name: given.pop(one.name) for one in chosen}
            _let_the_command_line_win(chosen, values)
            return command(*args, **given, **{keyword: owner(**values)})

        decorated: Any = with_options
        for one in reversed(chosen):
            decorated = _click_option(one, defaults.get(one.name, one.default))(decorated)
        return cast(_Command, decorated)

    return decorate


def _let_the_command_line_win(chosen: Collection[OptionField], values: dict[str, Any]) -> None:
    """Drop what a file says where the command line says the same in another way."""
    source = click.get_current_context().get_parameter_source
    for one in chosen:
        rival = one.option.instead_of
        if rival in values and (source(one.name), source(rival)) == _OVERRULED:
            values[rival] = None


def as_arguments(settings: Any) -> list[str]:
    """Return the command line that makes `settings`: the options that are not at their defaults."""
    arguments: list[str] = []
    for one in option_fields(type(settings)):
        value = getattr(settings, one.name)
        if value == one.default:
            continue
        if one.kind is bool:
            arguments.append(f"--{one.flag}" if value else f"--no-{one.flag}")
        else:
            for part in value if one.repeatable else (value,):
                arguments += [f"--{one.flag}", str(part)]
    return arguments


def _click_option(one: OptionField, default: Any) -> Callable[[_Command], _Command]:
    known = one.option
    flag = f"--{one.flag}"
    style: dict[str, Any] = {"type": click.Path(path_type=Path) if one.kind is Path else one.kind}
    if one.kind is bool:
        flag = f"{flag}/--no-{one.flag}" if default else flag
        style = {"is_flag": True}
    elif known.empty is not None:
        style |= {"is_flag": False, "flag_value": known.empty}
    return click.option(
        flag,
        one.name,
        default=default,
        multiple=one.repeatable,
        metavar=known.metavar,
        envvar=known.env,
        help=_help(one, default),
        **style,
    )


def _help(one: OptionField, default: Any) -> str:
    """Return the help with what else is to be known of a value: `[default: 10; from 0 to 30]`."""
    known = one.option
    if default is None or one.kind is bool or one.repeatable:
        shown = known.shown_default
    else:
        shown = f"{default:g}" if one.kind is float else str(default)
    notes = (
        shown and f"default: {shown}",
        known.bounds,
        known.env and f"or the variable {known.env}",
    )
    told = "; ".join(note for note in notes if note)
    return f"{known.help}  [{told}]" if told else known.help


def index_or_name(device: str | None) -> int | str | None:
    """Return what `device` names a microphone by: its index, or a part of its name."""
    return int(device) if device is not None and device.isdecimal() else device
