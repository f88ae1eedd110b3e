"""One listening TCP socket for a host and a port, the same for every protocol."""

import ipaddress
import socket

BACKLOG = 2048
"""Clients that may queue before they are taken."""

ALL_V4, ALL_V6 = "0.0.0.0", "::"


def all_of(host: str) -> str | None:
    """Return `ALL_V4` or `ALL_V6` if `host` is such a wildcard, however it is written; else None.

    `::` means IPv4, too, where the system lets one socket hear both.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    if not address.is_unspecified:
        return None
    return ALL_V4 if address.version == 4 else ALL_V6


def resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[object, ...]]:
    """Return the family and the address to bind. Raises `OSError` or `UnicodeError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # `localhost` may be both: Home Assistant's own form asks for IPv4 more often than not.
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, address


def listen(host: str, port: int) -> socket.socket:
    """Return a socket at `host` where clients already queue; port 0 is any free one.

    Raises:
        OSError, UnicodeError: `resolved` does, before anything is bound (`socket.gaierror`), or
            the address cannot be had.
    """
    if all_of(host) == ALL_V6:
        return _listen_everywhere(port)
    family, address = resolved(host, port)
    return socket.create_server(address, family=family, backlog=BACKLOG)


def _listen_everywhere(port: int) -> socket.socket:
    if not socket.has_ipv6:
        return socket.create_server((ALL_V4, port), backlog=BACKLOG)
    both = socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            (ALL_V6, port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=both
        )
    except OSError:
        if _has_ipv6():
            raise
        # IPv6 is switched off, as in many a container: all addresses are IPv4 ones.
        return socket.create_server((ALL_V4, port), backlog=BACKLOG)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((ALL_V6, 0))
    except OSError:
        return False
    return True
