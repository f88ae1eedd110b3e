"""Options as fields of a dataclass: default, bounds, unit and help stand in one line.

The command line, the keys of a TOML file, the checks and the reference page are made from them.
"""

import math
from dataclasses import dataclass, field, fields
from functools import cache
from numbers import Real
from pathlib import Path
from typing import Any, get_args, get_type_hints

from turbo_stream.errors import InputError


@dataclass(frozen=True)
class Option:
    """What is known of one field beside its default."""

    help: str
    """One line."""

    flag: str | None = None
    """Name on the command line, where it is not that of the field: `name` for `names`."""

    metavar: str | None = None
    """What is given, for a person: `DIR`, `P`."""

    low: float = -math.inf
    high: float = math.inf
    """Bounds of a number; both are allowed."""

    above_low: bool = False
    """`low` itself is not allowed."""

    below_high: bool = False
    """`high` itself is not allowed."""

    shown_default: str | None = None
    """What a default of None means, for a person."""

    env: str | None = None
    """Environment variable that may hold it."""

    per_stream: bool = False
    """May differ between streams over the same models."""

    instead_of: str | None = None
    """The field that says the same in another way; one of the two is given."""

    only_shown: bool = False
    """Changes what is shown, and no score."""

    only_streams: bool = False
    """Changes how a stream is heard, and nothing for a clip that is scored as a whole."""

    empty: str | None = None
    """What the flag alone means, where its value may be left out."""

    secret: bool = False
    """It is left out of the dataclass's `repr`."""

    @property
    def bounds(self) -> str:
        """The allowed numbers, for a person; empty where there is no bound."""
        low = (
            f"{'above' if self.above_low else 'from'} {self.low:g}" if self.low > -math.inf else ""
        )
        high = (
            f"{'below' if self.below_high else 'to'} {self.high:g}" if self.high < math.inf else ""
        )
        return (" and " if self.below_high else " ").join(part for part in (low, high) if part)

    def allows(self, value: float) -> bool:
        """Return whether `value` lies within the bounds; NaN and infinity do not."""
        if not is_number(value):
            return False
        above = value > self.low if self.above_low else value >= self.low
        return above and (value < self.high if self.below_high else value <= self.high)


def option(default: Any, help: str, **known: Any) -> Any:
    """Return a dataclass field with an `Option`; `known` are further fields of that."""
    made = Option(help, **known)
    return field(default=default, repr=not made.secret, metadata={"option": made})


@dataclass(frozen=True)
class OptionField:
    """A field that is an option, with its type taken apart."""

    name: str
    default: Any
    option: Option
    kind: type
    """`bool`, `int`, `float`, `str` or `Path`; of a repeatable one that of each value.

    A string where the field takes a path as well: `none` and names are no paths.
    """

    repeatable: bool

    @property
    def flag(self) -> str:
        """Its long option without the dashes, which is its TOML key, too."""
        return (self.option.flag or self.name).replace("_", "-")


def option_fields(owner: type) -> tuple[OptionField, ...]:
    """Return the options of a dataclass, in order; fields without an `Option` are left out."""
    return _option_fields(owner)


@cache
def _option_fields(owner: type) -> tuple[OptionField, ...]:
    hints = get_type_hints(owner)
    found = []
    for one in fields(owner):
        if "option" not in one.metadata:
            continue
        hint = hints[one.name]
        repeatable = getattr(hint, "__origin__", None) is tuple
        kinds = (hint, *get_args(hint))
        kind = next(kind for kind in (bool, int, float, str, Path) if kind in kinds)
        found.append(OptionField(one.name, one.default, one.metadata["option"], kind, repeatable))
    return tuple(found)


def is_number(value: Any) -> bool:
    """Return whether `value` is a number that can be reckoned with: finite, and no truth value."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond what a float holds
        return False


def shown(value: Any) -> str:
    """Return `value` for a message of one line, cut where it is long."""
    try:
        text = repr(value)
    except ValueError:  # an integer of more digits than Python writes
        return "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}..."


def check_bounds(owner: Any) -> None:
    """Raise `InputError`, which names the field, for a number of `owner` out of its bounds."""
    for one in option_fields(type(owner)):
        value = getattr(owner, one.name)
        if one.kind not in (int, float) or value is None:
            continue
        if not one.option.allows(value):
            finite = "finite " if value == math.inf else ""
            raise InputError(
                f"`{one.name}` is {shown(value)}, which is not allowed; "
                f"give a {finite}number {one.option.bounds}"
            )


def changed_options(owner: Any) -> list[str]:
    """Return the names of the options of `owner` that are not at their defaults, in order."""
    return [
        one.name for one in option_fields(type(owner)) if getattr(owner, one.name) != one.default
    ]
