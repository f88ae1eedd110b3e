"""docs/reference/settings.md: every field of `Settings`, as option, TOML key and argument."""

import re
from collections.abc import Iterable
from dataclasses import fields

from turbo_stream import Settings
from turbo_stream._util.option import OptionField, option_fields

_INTRODUCTION = """\
# Settings

Every choice about the models and how they decide. `turbo-listen`, `turbo-serve`, `turbo-eval` and
`turbo-bench` take them as options ([commands](commands.md)), `--config FILE` as keys of a TOML
file, `Settings(...)` and `Pipeline.load(...)` as arguments ([API](api.md#settings)). When to change
which: [choosing](../guide/choosing.md).

"""

_SPELLING = """
## Spelling and values

A TOML file may spell its keys with `-` or `_`. A repeatable option is an array there and a sequence
in Python; a switch is `true` or `false`. None in Python is the default of the table above.

"""

_PER_STREAM = """
## Per stream

Streams over the same models may differ in {names}.
These are arguments of `Models.stream`, and a WebSocket client gives them in its address
([serve](../guide/serve.md#websocket)). All other settings belong to the models.
"""


def settings_page() -> str:
    """Return the page."""
    options = option_fields(Settings)
    types = {field.name: _type(field.type) for field in fields(Settings)}
    values = table(
        ("option", "TOML key", "in Python", "type", "default", "bounds", "per stream"),
        (
            (
                f"`--{one.flag}`",
                code(one.flag),
                code(one.name),
                code(types[one.name]),
                code(repr(one.default)),
                one.option.bounds,
                "yes" if one.option.per_stream else "",
            )
            for one in options
        ),
    )
    meaning = table(
        ("option", "what it is", "default"),
        ((_option(one), one.option.help, shown_default(one)) for one in options),
    )
    names = ", ".join(code(one.name) for one in options if one.option.per_stream)
    return _INTRODUCTION + meaning + _SPELLING + values + _PER_STREAM.format(names=names)


def shown_default(one: OptionField) -> str:
    """Return the default for a person; empty where there is none."""
    if one.option.shown_default is not None:
        return one.option.shown_default
    if one.kind is bool:
        return "yes" if one.default else "no"
    if one.default in (None, ()):
        return "none"
    return code(f"{one.default:g}" if one.kind is float else str(one.default))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; a `|` in a cell is escaped."""
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def code(text: str) -> str:
    """Return `text` in backticks."""
    return f"`{text}`"


def _type(annotation: object) -> str:
    """Return an annotation as one writes it, without the modules of its names."""
    text = annotation.__name__ if type(annotation) is type else str(annotation)
    return re.sub(r"(\w+\.)+(?=\w)", "", text)


def _option(one: OptionField) -> str:
    if one.kind is bool:
        # As the command line has it: a switch that is on can be turned off.
        return f"`--{one.flag}`, `--no-{one.flag}`" if one.default else f"`--{one.flag}`"
    kind = "TEXT" if one.kind is str else one.kind.__name__.upper()
    return code(f"--{one.flag} {one.option.metavar or kind}")
