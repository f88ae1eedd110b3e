"""One way to listen, for the web server and Wyoming alike."""

import socket

import pytest

from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving import _port
from turbo_stream.serving._port import all_of, listen
from turbo_stream.serving.web_server import bound_socket

IPV6 = socket.has_dualstack_ipv6()


def answers(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as client:
        return client.connect_ex((host, port)) == 0


@pytest.mark.skipif(not IPV6, reason="needs a system with IPv6")
@pytest.mark.parametrize("host", ["::", "0::0"])
def test_all_addresses_are_those_of_both_versions(host: str) -> None:
    with bound_socket(host, 0) as listening:
        port = listening.getsockname()[1]
        assert answers("127.0.0.1", port) and answers("::1", port)
        with pytest.raises(TurboStreamError, match="in use"):
            bound_socket("0.0.0.0", port)


@pytest.mark.skipif(not IPV6, reason="needs a system with IPv6")
def test_wyoming_hears_both_versions_too() -> None:
    pytest.importorskip("wyoming", reason="needs the serve extra")
    from turbo_stream.serving.wyoming._address import TcpAddress, bind

    with bind(TcpAddress("::", 0)) as listening:
        port = listening.getsockname()[1]
        assert answers("127.0.0.1", port) and answers("::1", port)


def test_other_addresses_are_heard_alone() -> None:
    with listen("0.0.0.0", 0) as all_v4, listen("localhost", 0) as local:
        assert answers("127.0.0.1", all_v4.getsockname()[1])
        assert local.getsockname()[0] == "127.0.0.1", "the first choice of most clients"
        if IPV6:
            assert not answers("::1", all_v4.getsockname()[1])


def test_without_ipv6_all_addresses_are_those_of_ipv4(monkeypatch) -> None:
    create = socket.create_server

    def no_ipv6(address, *, family=socket.AF_INET, **options):
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return create(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", no_ipv6)
    monkeypatch.setattr(_port, "_has_ipv6", lambda: False)
    with listen("::", 0) as listening:
        assert answers("127.0.0.1", listening.getsockname()[1])


def test_an_unknown_host_is_told_at_once() -> None:
    for host in ("no-such-host.invalid", "two..dots"):
        with pytest.raises(InputError, match="not known") as caught:
            bound_socket(host, 0)
        assert "\n" not in str(caught.value)
    with pytest.raises(TurboStreamError, match="cannot listen on"):
        bound_socket("203.0.113.7", 0)


def test_wildcards_are_known_however_they_are_written() -> None:
    assert [all_of(host) for host in ("0.0.0.0", "::", "0:0::0")] == ["0.0.0.0", "::", "::"]
    assert {all_of(host) for host in ("127.0.0.1", "::1", "localhost", "")} == {None}
