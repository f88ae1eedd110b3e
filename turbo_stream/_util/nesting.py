"""How deep the lists and objects of a JSON value stand in one another."""

from collections.abc import Iterator

_DEEPEST = 50
"""More than anybody needs, and little enough that whatever walks through it comes back."""


def all_within(value: object) -> Iterator[tuple[object, int]]:
    """Yield `value` and all that stands in it, and how deep."""
    left: list[tuple[object, int]] = [(value, 0)]
    while left:
        one, depth = left.pop()
        yield one, depth
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        left += ((each, depth + 1) for each in inner)


def check_depth(value: object) -> None:
    """Raise ValueError where lists and objects stand too deep."""
    if any(depth > _DEEPEST for _, depth in all_within(value)):
        raise ValueError(f"lists and objects stand more than {_DEEPEST} deep")
