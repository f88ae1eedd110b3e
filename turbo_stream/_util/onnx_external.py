"""Which other files an ONNX file would have ONNX Runtime read.

Told from the bytes of the file itself, as protobuf encodes them: a device has no `onnx`.
"""

import mmap
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_FIELDS: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        **{5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
        **{22: "sparse", 23: "sparse"},
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""Number and kind of every field of a message that may lead to a tensor's data."""

_DATA_LOCATION, _EXTERNAL = 14, 1
"""Field and value of a tensor that say that its data stand in another file."""

_KEY, _VALUE = 1, 2
"""Fields of an entry of `external_data`."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_32_BITS = 0xFFFF_FFFF
"""What protobuf keeps of a tag and of an enumerated value."""

_DEEPEST = 100
"""Messages within messages: as many as protobuf's own reader takes."""

Data = bytes | mmap.mmap


def external_files(path: Path) -> set[str]:
    """Return the names of all files that the tensors of `path` refer to, as they stand there.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no protobuf, or a tensor's data stand elsewhere and nothing says where.
    """
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return set()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return set(_names(data, 0, len(data), "model", 0))


def _names(data: Data, at: int, end: int, kind: str, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        raise ValueError(f"messages stand more than {_DEEPEST} deep")
    inner = _FIELDS[kind]
    elsewhere = named = False
    for number, wire, start, stop in _fields(data, at, end):
        if kind == "tensor" and number == _DATA_LOCATION and wire == _VARINT:
            elsewhere |= _varint(data, start, stop)[0] & _32_BITS == _EXTERNAL
        if wire != _BYTES or number not in inner:
            continue
        if inner[number] != "entry":
            yield from _names(data, start, stop, inner[number], depth + 1)
        elif (name := _location(data, start, stop)) is not None:
            named = True
            yield name
    if elsewhere and not named:
        raise ValueError("the data of a tensor stand in another file that it does not name")


def _location(data: Data, at: int, end: int) -> str | None:
    """Return the value of an entry whose key is `location`."""
    words = {_KEY: b"", _VALUE: b""}
    for number, wire, start, stop in _fields(data, at, end):
        if wire == _BYTES and number in words:
            words[number] = bytes(data[start:stop])
    # As a name of the file system: no two different ones look the same.
    return os.fsdecode(words[_VALUE]) if words[_KEY] == b"location" else None


def _fields(data: Data, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield number, wire type, begin and end of each field of a message."""
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = (tag & _32_BITS) >> 3, tag & 7
        if wire == _VARINT:
            start = at
            _, at = _varint(data, at, end)
        elif wire == _BYTES:
            size, start = _varint(data, at, end)
            at = start + size
        elif wire in _FIXED:
            start = at
            at += _FIXED[wire]
        else:
            raise ValueError(f"a field has the unknown type {wire}")
        if at > end:
            raise ValueError("a field ends after the message it stands in")
        yield number, wire, start, at


def _varint(data: Data, at: int, end: int) -> tuple[int, int]:
    """Return the number at `at` and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError("the file ends within a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number has more than ten bytes")
