"""Numbers as clients write them in an address."""

import re

_NUMBER = re.compile(
    r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf|infinity)", re.ASCII | re.IGNORECASE
)
"""What `float` takes beyond it is no number to others: `1_0`, digits of other scripts."""

WRONG_THRESHOLD = "threshold has to be a number from 0 to 1"


def number(text: str) -> float:
    """Return the number that `text` is, which need not be finite; else `ValueError`."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("no number")
    return float(text)
