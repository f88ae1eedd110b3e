"""Turns templates into pages: escaping, and how numbers are shown to people."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

UNDEFINED = "–"
"""Shown where a figure is undefined."""

_TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, **values: Any) -> str:
    """Return a page that needs nothing but itself; every value is escaped for HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "number": number,
        "count": count,
        "range": percent_range,
    }
    css = (_TEMPLATES / "page.css").read_text("utf-8")
    return environment.get_template(template).render(css=css, **values)


def percent(value: float | None) -> str:
    """Return a fraction as percent."""
    return UNDEFINED if value is None else f"{value * 100:.2f} %"


def percent_range(ends: Sequence[float] | None) -> str:
    """Return an interval of fractions as percent."""
    return UNDEFINED if ends is None else f"{ends[0] * 100:.2f} – {ends[1] * 100:.2f} %"


def number(value: Any, digits: int) -> str:
    """Return a number with so many decimals."""
    return UNDEFINED if value is None or isinstance(value, str) else f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """Return a whole number with its thousands set apart."""
    return UNDEFINED if value is None else f"{value:,}"


def png_uri(data: bytes) -> str:
    """Return a PNG as data URI."""
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")
