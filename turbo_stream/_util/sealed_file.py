"""A JSON file for its owner alone that says what it is, and shows whether it was changed."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turbo_stream._util.files import PARTIAL, open_regular, read_file, write_private
from turbo_stream._util.shared_file import alone_with
from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError

_START_BYTES = 200


@dataclass(frozen=True)
class SealedFile:
    """One kind of such files."""

    kind: str
    """Stands at the front of each."""

    format: int
    most_bytes: int

    noun: str
    """What messages call its content, such as `corrections`."""

    damaged: str
    """What to do about one that is damaged."""

    missing: str = ""
    """What to do about one that cannot be read, behind the reason."""

    def read(self, path: Path) -> dict[str, Any]:
        """Return the checked body of a file.

        Raises:
            InputError: it is not there, damaged, or no such file. The message says what to do.
        """
        try:
            body = json.loads(read_file(path, self.most_bytes))
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"{shown(path)} cannot be read: {reason}{self.missing}") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{shown(path)} is no file of {self.noun}; {self.damaged}") from error
        if not isinstance(body, dict) or body.get("kind") != self.kind:
            raise InputError(
                f"{shown(path)} is no file of {self.noun}; give another name, under which a new "
                "one is made"
            )
        if body.get("format") != self.format:
            raise InputError(
                f"{shown(path)} has format {shown(repr(body.get('format'))[:40])}, and this "
                f"version of turbo_stream reads {self.format}; update turbo_stream"
            )
        if body.pop("sha256", None) != _hash(body):
            raise InputError(f"{shown(path)} is damaged or was changed by hand; {self.damaged}")
        return body

    def nonsense(self, path: Path) -> InputError:
        """Return what is to be raised of a body whose content no version writes."""
        return InputError(f"{shown(path)} holds what no version writes; {self.damaged}")

    def write(self, path: Path, content: Mapping[str, Any]) -> None:
        """Write `content` to `path`, whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        body = {"kind": self.kind, "format": self.format, **content}
        body["sha256"] = _hash(body)
        try:
            whole = Path(os.path.realpath(path))  # a link stays one
            write_private(whole, (json.dumps(body, indent=1) + "\n").encode())
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"{shown(path)} cannot be written: {reason}") from error

    def looks_like_one(self, path: Path) -> bool:
        """Return whether `path` begins as such a file does, damaged or not."""
        try:
            with open_regular(path) as file:
                return f'"{self.kind}"'.encode() in file.read(_START_BYTES)
        except OSError:
            return False


def erase(path: Path) -> None:
    """Erase a file, whatever it holds.

    Raises:
        InputError: another process is changing it, or it cannot be erased.
    """
    with alone_with(path):
        try:
            whole = Path(os.path.realpath(path))  # a link would leave what it points to
            for one in (whole, path, whole.with_name(f".{whole.name}{PARTIAL}")):
                one.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"{shown(path)} cannot be erased: {reason}") from error


def _hash(body: Mapping[str, Any]) -> str:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
