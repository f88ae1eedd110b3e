"""Tells the local network that the server is there (mDNS), so that Home Assistant offers it."""

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import ifaddr
from zeroconf import Error
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving.wyoming._address import TcpAddress

SERVICE_TYPE = "_wyoming._tcp.local."

# RFC 6763, 4.1.1
_LONGEST_NAME_BYTES = 63


def check_name(name: str) -> None:
    """Raise `InputError` for a name that cannot be announced."""
    if not 1 <= len(name.encode()) <= _LONGEST_NAME_BYTES or not name.isprintable():
        raise InputError(
            f"`zeroconf` {name!r:.80} cannot be a name on the network; give 1 to "
            f"{_LONGEST_NAME_BYTES} bytes, all printable"
        )


@asynccontextmanager
async def announced(name: str, address: TcpAddress) -> AsyncIterator[None]:
    """Announce `name` at `address` while the context lasts.

    Another name is found if it is taken. Raises `TurboStreamError` without a network.
    """
    try:
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{name}.{SERVICE_TYPE}",
            port=address.port,
            parsed_addresses=network_addresses(address.host),
        )
        zeroconf = AsyncZeroconf()
        await (await zeroconf.async_register_service(info, allow_name_change=True))
    except (OSError, Error) as error:
        raise TurboStreamError(
            f"{address} cannot be announced ({error or type(error).__name__}); leave out `zeroconf`"
        ) from error
    try:
        yield
    finally:
        await zeroconf.async_close()


def network_addresses(host: str) -> list[str]:
    """Return the addresses at which `host` is reached: all of this machine's if it is a wildcard.

    Loopback ones only where there are no others.
    """
    if host not in ("0.0.0.0", "::"):
        return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None)})
    everywhere = [
        str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4
    ]
    outside = [given for given in everywhere if not ipaddress.ip_address(given).is_loopback]
    return sorted(outside or everywhere)
