"""Texts as manifests hold them, with lone surrogates and with line ends that are none."""

import json
import re
from typing import Any

_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What UTF-8 cannot hold, and what many a reader takes for the end of a line."""


def json_text(value: Any, *, indent: int | None = None, allow_nan: bool = True) -> str:
    """Return `value` as JSON that can be written in UTF-8 and read again as it was, by line too."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=allow_nan)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def whole_text(text: str) -> str:
    """Return `text` as a tokenizer takes it: lone surrogates become U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
