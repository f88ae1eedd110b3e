"""Tells the local network that the server is there (mDNS), so that Home Assistant offers it."""

import asyncio
import ipaddress
import logging
import re
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from uuid import uuid4

import ifaddr
from zeroconf import Error
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving._port import ALL_V4, ALL_V6, all_of, resolved
from turbo_stream.serving.wyoming._address import TcpAddress

_LOG = logging.getLogger(__name__)

SERVICE_TYPE = "_wyoming._tcp.local."

# RFC 6763, 4.1.1
_LONGEST_NAME_BYTES = 63

LOOK_AGAIN_S = 15.0
"""How often the addresses of this machine are looked at: a lease ends, Wi-Fi comes and goes."""

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_WITHIN = re.compile(
    r"docker|veth|virbr|vboxnet|vmnet|vnet|cni|flannel|cali|podman|lxcbr|lxdbr|incusbr|kube|hassio"
    r"|br-[0-9a-f]{12}$|VirtualBox|VMware|vEthernet",
)
"""Adapters that lead to containers and virtual machines of this machine, by their names."""

_FAR_AWAY = {4: (socket.AF_INET, "203.0.113.1"), 6: (socket.AF_INET6, "2001:db8::1")}
"""Addresses of no machine (RFC 5737, RFC 3849), so that the way there is the default route."""


def check_name(name: str) -> None:
    """Raise `InputError` for a name that cannot be announced."""
    if not 1 <= len(name.encode()) <= _LONGEST_NAME_BYTES or not name.isprintable():
        raise InputError(
            f"`zeroconf` {name!r:.80} cannot be a name on the network; give 1 to "
            f"{_LONGEST_NAME_BYTES} bytes, all printable"
        )


@asynccontextmanager
async def announced(name: str, address: TcpAddress) -> AsyncIterator[None]:
    """Announce `name` at `address` while the context lasts, wherever this machine moves.

    Another name is found if it is taken. Raises `TurboStreamError` without a network.
    """
    announcement = _Announcement(name, address)
    try:
        await announcement.update()
    except (OSError, Error) as error:
        await announcement.end()
        raise TurboStreamError(
            f"{address} cannot be announced ({error or type(error).__name__}); leave out `zeroconf`"
        ) from error
    following = asyncio.create_task(announcement.follow())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await announcement.end()


class _Announcement:
    """What the network is told at present."""

    def __init__(self, name: str, address: TcpAddress) -> None:
        self._name = name
        self._address = address
        self._host = f"turbo-stream-{uuid4().hex}.local."
        """Nobody else's: this machine's own name is told by others, with other addresses. Were it
        the service's name, an answer would hold address and service in any order, and the library
        of Home Assistant does not take an address before it knows whose it is."""
        self._told: list[str] = []
        self._zeroconf: AsyncZeroconf | None = None

    async def update(self) -> None:
        """Tell the addresses that are there now, if they are not the ones told before."""
        addresses = _best(network_addresses(self._address.host))
        if addresses == self._told:
            return
        # A new one, since a running one listens on the adapters that there were at its start.
        await self.end()
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            f"{self._name}.{SERVICE_TYPE}",
            port=self._address.port,
            server=self._host,
            parsed_addresses=addresses,
        )
        self._zeroconf = AsyncZeroconf()
        await (await self._zeroconf.async_register_service(info, allow_name_change=True))
        self._told = addresses

    async def follow(self) -> None:
        """Go on telling the present addresses, for ever."""
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            try:
                await self.update()
            except (OSError, Error) as error:
                # As between two networks: the next look finds another one.
                _LOG.debug("not announced at present: %s", error or type(error).__name__)

    async def end(self) -> None:
        """Take back what was told."""
        zeroconf, self._zeroconf, self._told = self._zeroconf, None, []
        if zeroconf is not None:
            await zeroconf.async_close()


def _best(addresses: list[str]) -> list[str]:
    """Return the first address of each version.

    An announcement knows no order, and Home Assistant takes any of its addresses: one that leads
    nowhere from there would be taken now and then.
    """
    first: dict[int, str] = {}
    for given in addresses:
        first.setdefault(ipaddress.ip_address(given).version, given)
    return list(first.values())


def network_addresses(host: str) -> list[str]:
    """Return the addresses at which a socket bound to `host` is reached from the network.

    Of a wildcard: those of this machine, the default route's first, IPv4 before IPv6. Without
    adapters that lead to containers and virtual machines alone, link-local addresses and
    loopback: those only where nothing else is there.
    """
    wildcard = all_of(host)
    if wildcard is None:
        return [str(resolved(host, 0)[1][0])]
    versions = {4} if wildcard == ALL_V4 else {6}
    if wildcard == ALL_V6 and (not socket.has_ipv6 or socket.has_dualstack_ipv6()):
        versions.add(4)
    everywhere = [(name, ip) for name, ip in _addresses() if ip.version in versions]
    routed = {version: _default_route(version) for version in versions}

    def is_outside(name: str, ip: IpAddress) -> bool:
        # The default route may well lead over a bridge.
        return ip == routed[ip.version] or not (ip.is_link_local or _WITHIN.match(name))

    def rank(ip: IpAddress) -> tuple[bool, ...]:
        # An address that ends in 1 is mostly that of a bridge of this machine's own.
        return ip.version == 6, ip != routed[ip.version], ip.packed[-1] == 1

    network = [(name, ip) for name, ip in everywhere if not ip.is_loopback]
    outside = [(name, ip) for name, ip in network if is_outside(name, ip)]
    return [str(ip) for ip in sorted((ip for _, ip in outside or network or everywhere), key=rank)]


def _addresses() -> Iterator[tuple[str, IpAddress]]:
    """Yield each address of this machine with the name of its adapter."""
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            # An IPv6 one comes with its flow and scope.
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            yield getattr(adapter, "nice_name", ""), ipaddress.ip_address(text)


def _default_route(version: int) -> IpAddress | None:
    """Return the address of this machine from which the rest of the world is reached."""
    family, far_away = _FAR_AWAY[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((far_away, 9))  # sends nothing
            return ipaddress.ip_address(probe.getsockname()[0])
    except OSError:
        return None
