"""docs/reference/api.md: every name in `turbo_stream.__all__`, with its docstrings."""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from importlib import import_module
from types import FunctionType
from typing import Any

import turbo_stream
from turbo_stream import TurboStreamError
from turbo_stream.events import BaseEvent

_INTRODUCTION = """\
# Python API

What `import turbo_stream` offers; `turbo_stream.__version__` is the version, a string. Sound is
16 kHz mono int16 everywhere, times are seconds from the start of the stream. How the parts fit
together: [embedding](../guide/embedding.md). Other modules may change from one version to the next.
"""

_GROUPS: dict[str, Callable[[Any], bool]] = {
    "Functions": inspect.isfunction,
    "Types": lambda found: not inspect.isclass(found),
    "Events": lambda found: issubclass(found, BaseEvent),
    "Errors": lambda found: issubclass(found, TurboStreamError),
    "Protocols": lambda found: getattr(found, "_is_protocol", False),
    "Classes": inspect.isclass,
}
"""Heading, and what belongs under it; the first that fits."""

_ORDER = ("Classes", "Functions", "Events", "Types", "Protocols", "Errors")

_ENTRY = re.compile(r"    (?P<name>\*{0,2}[\w.]+): (?P<text>.*)")

_WIDTH = 88

_Function = ast.FunctionDef | ast.AsyncFunctionDef

_ASSIGNMENT = (ast.Assign, ast.AnnAssign)


def api_page() -> str:
    """Return the page."""
    groups: dict[str, list[str]] = {group: [] for group in _ORDER}
    for name in sorted(turbo_stream.__all__, key=str.lower):
        found = getattr(turbo_stream, name)
        if not isinstance(found, str):
            group = next(group for group, fits in _GROUPS.items() if fits(found))
            groups[group].append(_entry(name, found))
    sections = ("\n".join([f"## {group}\n", *groups[group]]) for group in _ORDER)
    return "\n".join([_INTRODUCTION, *sections])


def markdown(docstring: str) -> str:
    """Return a docstring as Markdown: the entries of `Args:` and `Raises:` become a list."""
    lines: list[str] = []
    in_section = False
    for line in inspect.cleandoc(docstring).splitlines():
        entry = _ENTRY.fullmatch(line) if in_section else None
        if line in ("Args:", "Raises:", "Returns:", "Yields:"):
            in_section = True
            lines += [line, ""]
        elif entry is not None:
            lines.append(f"- `{entry['name']}`: {entry['text']}")
        elif in_section and line.startswith("    "):
            lines.append(f"  {line.strip()}")
        else:
            in_section = in_section and not line
            lines.append(line)
    return "\n".join(lines)


def _entry(name: str, found: Any) -> str:
    if not isinstance(found, type | FunctionType):
        return _alias(name)
    (node,) = ast.parse(textwrap.dedent(inspect.getsource(found))).body
    parts = [f"### {name}\n", f"```python\n{_headline(node)}\n```\n"]
    docs: list[str | None] = [found.__doc__]
    if isinstance(node, ast.ClassDef):
        init = _constructor(node)
        docs.append(ast.get_docstring(init) if init else None)
    parts += [f"{markdown(doc)}\n" for doc in docs if doc]
    if isinstance(found, type) and isinstance(node, ast.ClassDef):
        parts += _members(found, node)
    return "\n".join(parts)


def _alias(name: str) -> str:
    """Return the entry of a name for a type, with the string that stands below it."""
    module = import_module(f"turbo_stream.{turbo_stream._MODULES[name]}")
    source = inspect.getsource(module)
    for node, doc in _documented(ast.parse(source).body):
        if isinstance(node, ast.Assign) and _target(node) == name:
            text = ast.get_source_segment(source, node)
            return f"### {name}\n\n```python\n{text}\n```\n\n{markdown(doc)}\n"
    raise LookupError(name)


def _headline(node: ast.stmt) -> str:
    """Return what a call looks like, or the line that begins a class that has no `__init__`.

    An argument has a line of its own where one line is too short.
    """
    assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
    function = _constructor(node) if isinstance(node, ast.ClassDef) else node
    if function is None:
        bases = ", ".join(ast.unparse(base) for base in getattr(node, "bases", ()))
        return f"class {node.name}({bases})" if bases else f"class {node.name}"
    arguments = _arguments(function, bound=function is not node)
    returns = "" if function is not node else _returns(function, " -> ")
    line = f"{node.name}({', '.join(arguments)}){returns}"
    if len(line) <= _WIDTH:
        return line
    lines = "".join(f"    {one},\n" for one in arguments)
    return f"{node.name}(\n{lines}){returns}"


def _constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    functions = [one for one in node.body if isinstance(one, ast.FunctionDef)]
    return next((one for one in functions if one.name == "__init__"), None)


def _arguments(function: _Function, *, bound: bool) -> list[str]:
    """Return the arguments as they are declared; without the first, self or cls, if `bound`."""
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    shown = [_argument(*one) for one in zip(plain, defaults, strict=True)][bound:]
    if given.vararg is not None:
        shown.append(f"*{_argument(given.vararg)}")
    elif given.kwonlyargs:
        shown.append("*")
    shown += [_argument(*one) for one in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if given.kwarg is not None:
        shown.append(f"**{_argument(given.kwarg)}")
    return shown


def _argument(argument: ast.arg, default: ast.expr | None = None) -> str:
    return ast.unparse(argument) + (f" = {ast.unparse(default)}" if default is not None else "")


def _returns(function: _Function, between: str) -> str:
    return f"{between}{ast.unparse(function.returns)}" if function.returns else ""


def _members(owner: type, node: ast.ClassDef) -> Iterator[str]:
    """Yield the lists below a class: its fields, then its properties and methods."""
    fields = [_item(text, doc) for text, doc in _fields(owner, node)]
    if fields:
        yield _list("Fields" if dataclasses.is_dataclass(owner) else "Attributes", fields)
    methods = list(_methods(node))
    if methods:
        yield _list("Methods", methods)
    if hasattr(owner, "__exit__"):
        yield "It is a context manager, which ends with `close`.\n"


def _list(name: str, items: list[str]) -> str:
    return f"{name}:\n\n{''.join(items).rstrip()}\n"


def _fields(owner: type, node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Yield declaration and docstring of what the class body, or `__init__`, assigns."""
    fields = dataclasses.fields(owner) if dataclasses.is_dataclass(owner) else ()
    known = {one.name: one for one in fields}
    for one, doc in _documented(node.body):
        if isinstance(one, _ASSIGNMENT) and not _target(one).startswith("_"):
            field = known.get(_target(one))
            option = field.metadata.get("option") if field else None
            yield _declaration(one, field), doc or (option.help if option else "")
    constructor = _constructor(node)
    for one, doc in _documented(constructor.body if constructor else []):
        if isinstance(one, _ASSIGNMENT) and doc:
            name = _target(one).removeprefix("self.")
            if not name.startswith("_"):
                kind = f": {ast.unparse(one.annotation)}" if isinstance(one, ast.AnnAssign) else ""
                yield name + kind, doc


def _target(node: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def _documented(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield each statement with the string that stands below it, or an empty one."""
    for one, after in zip(body, [*body, ast.Pass()][1:], strict=True):
        text = ""
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = inspect.cleandoc(str(after.value.value))
        yield one, text


def _declaration(node: ast.Assign | ast.AnnAssign, field: dataclasses.Field | None) -> str:
    """Return the assignment, with the default of a field in the place of `option(...)`."""
    if field is None or not isinstance(node, ast.AnnAssign) or not isinstance(node.value, ast.Call):
        return ast.unparse(node)
    made = field.default_factory
    default = field.default if made is dataclasses.MISSING else made()
    return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)} = {default!r}"


def _methods(node: ast.ClassDef) -> Iterator[str]:
    """Yield an item for each public property and method."""
    for one in node.body:
        if not isinstance(one, _Function) or one.name.startswith("_"):
            continue
        marks = {ast.unparse(decorator) for decorator in one.decorator_list}
        if f"{one.name}.setter" in marks:
            continue
        if "property" in marks:
            text = one.name + _returns(one, ": ")
        else:
            arguments = ", ".join(_arguments(one, bound="staticmethod" not in marks))
            text = f"{one.name}({arguments}){_returns(one, ' -> ')}"
        if "classmethod" in marks:
            text = f"{node.name}.{text}"
        if isinstance(one, ast.AsyncFunctionDef):
            text = f"async {text}"
        yield _item(text, ast.get_docstring(one) or "")


def _item(text: str, doc: str) -> str:
    """Return a list item; a docstring of several lines is set off."""
    lines = textwrap.indent(markdown(doc), "  ")
    gap = "\n" if "\n" in lines else ""
    return f"- `{text}`\n{gap}{lines}\n{gap}" if doc else f"- `{text}`\n"
