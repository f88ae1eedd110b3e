"""One thing that was looked at."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "note", "missing"]
"""`missing`: listening does not work without it. `note`: it works, but better with."""


@dataclass(frozen=True)
class Check:
    """What was looked at, what was found, and what to do about it."""

    name: str
    state: State
    found: str
    advice: str = ""
    """What to do; empty where nothing needs to be done."""

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON-ready dict."""
        return asdict(self)
