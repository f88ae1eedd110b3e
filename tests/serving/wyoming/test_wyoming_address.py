"""Wyoming URIs, and what is said of those that are none."""

from pathlib import Path

import pytest

from turbo_stream.errors import InputError
from turbo_stream.serving.wyoming._address import (
    StdioAddress,
    TcpAddress,
    UnixAddress,
    parse_wyoming_uri,
)


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("tcp://0.0.0.0:10300", TcpAddress("0.0.0.0", 10300)),
        ("tcp://[::1]:10300/", TcpAddress("::1", 10300)),
        ("unix:///run/ears.sock", UnixAddress(Path("/run/ears.sock"))),
        ("stdio://", StdioAddress()),
    ],
)
def test_a_uri_is_understood_and_printed_again(uri: str, address: object) -> None:
    assert parse_wyoming_uri(uri) == address
    assert str(address) == uri.removesuffix("/") or str(address) == uri


@pytest.mark.parametrize(
    "uri",
    [
        *("", "10300", "tcp://", "tcp://host", "tcp://:10300", "tcp://host:many", "tcp://h:99999"),
        *("tcp://host:1/path", "unix://", "unix://relative/path", "stdio://x", "http://host:1"),
        "tcp://[::1",
    ],
)
def test_what_is_no_uri_is_told_in_one_line(uri: str) -> None:
    with pytest.raises(InputError, match="tcp://HOST:PORT, unix:///PATH or stdio://") as caught:
        parse_wyoming_uri(uri)
    assert "\n" not in str(caught.value)
