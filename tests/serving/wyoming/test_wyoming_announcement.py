"""Zeroconf: others on the network find the server while it is there."""

import asyncio
import os
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import SimpleNamespace

import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")
pytest.importorskip("zeroconf", reason="needs the serve extra")

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.serving.wyoming.running_service import running
from turbo_stream.serving.wyoming import _announcement
from turbo_stream.serving.wyoming._address import TcpAddress
from turbo_stream.serving.wyoming._announcement import SERVICE_TYPE, network_addresses

# Another run of this test on the same network is no neighbour.
NAME = f"ears of test {os.getpid()}"


class Neighbour:
    """Another program that looks for Wyoming services."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[tuple[str, ServiceStateChange]] = asyncio.Queue()

    def note(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        self.seen.put_nowait((name, state_change))

    async def sees(self, wanted: ServiceStateChange) -> None:
        async with asyncio.timeout(120):
            while (await self.seen.get()) != (f"{NAME}.{SERVICE_TYPE}", wanted):
                pass


@pytest.mark.slow
def test_a_neighbour_finds_the_server_and_sees_it_go(listener) -> None:
    async def look() -> None:
        neighbour, network = Neighbour(), AsyncZeroconf()
        browser = AsyncServiceBrowser(network.zeroconf, SERVICE_TYPE, handlers=[neighbour.note])
        try:
            with running(listener, announce=NAME) as server:
                await neighbour.sees(ServiceStateChange.Added)
                found = AsyncServiceInfo(SERVICE_TYPE, f"{NAME}.{SERVICE_TYPE}")
                assert await found.async_request(network.zeroconf, 10_000)
                assert found.port == server.service.address.port
                assert found.parsed_addresses(IPVersion.V4Only) == ["127.0.0.1"]
                await asyncio.to_thread(server.drain)
            await neighbour.sees(ServiceStateChange.Removed)
        finally:
            await browser.async_cancel()
            await network.async_close()

    asyncio.run(look())


@dataclass
class House:
    """The adapters of a machine, by name, and where its default route leads."""

    adapters: dict[str, list[str]]
    route: str | None = None

    def get_adapters(self) -> list[SimpleNamespace]:
        def ip(text: str) -> SimpleNamespace:
            return SimpleNamespace(ip=(text, 0, 0) if ":" in text else text)

        return [
            SimpleNamespace(nice_name=name, ips=[ip(text) for text in texts])
            for name, texts in self.adapters.items()
        ]

    def default_route(self, version: int) -> IPv4Address | IPv6Address | None:
        route = None if self.route is None else ip_address(self.route)
        return route if route is not None and route.version == version else None


@pytest.fixture
def house(monkeypatch) -> House:
    house = House({"lo": ["127.0.0.1", "::1"]})
    monkeypatch.setattr(_announcement, "ifaddr", house)
    monkeypatch.setattr(_announcement, "_default_route", house.default_route)
    return house


DOCKER = {"docker0": ["172.17.0.1"], "br-0123456789ab": ["172.18.0.1"], "veth1a2b": ["fe80::2"]}


@pytest.mark.parametrize(
    ("adapters", "route", "expected"),
    [
        ({**DOCKER, "eth0": ["192.168.178.20"]}, None, ["192.168.178.20"]),
        (
            {"tun0": ["10.8.0.6"], "wlan0": ["192.168.1.7"], "eth0": ["192.168.1.20"]},
            "192.168.1.20",
            ["192.168.1.20", "10.8.0.6", "192.168.1.7"],
        ),
        ({"bridge": ["10.0.3.1"], "eth0": ["10.0.0.5"]}, None, ["10.0.0.5", "10.0.3.1"]),
        ({"virbr0": ["192.168.122.1"]}, "192.168.122.1", ["192.168.122.1"]),
        ({"eth0": ["169.254.3.4"], "wlan0": ["10.0.0.5"]}, None, ["10.0.0.5"]),
        ({"br-lan": ["192.168.1.1"], **DOCKER}, None, ["192.168.1.1"]),
        (DOCKER, None, ["172.17.0.1", "172.18.0.1"]),
        ({}, None, ["127.0.0.1"]),
    ],
)
def test_of_all_addresses_the_best_come_first_and_those_within_not_at_all(
    house: House, adapters, route: str | None, expected: list[str]
) -> None:
    house.adapters |= adapters
    house.route = route
    assert network_addresses("0.0.0.0") == expected


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="needs a system with IPv6")
def test_ipv6_is_announced_where_it_is_bound(house: House) -> None:
    house.adapters["eth0"] = ["fe80::1", "fd00::5", "192.168.1.20"]
    assert network_addresses("0.0.0.0") == ["192.168.1.20"]
    assert network_addresses("::") == ["192.168.1.20", "fd00::5"]


def test_only_what_is_bound_is_announced() -> None:
    assert network_addresses("127.0.0.1") == network_addresses("localhost") == ["127.0.0.1"]
    everywhere = network_addresses("0.0.0.0")
    assert everywhere and all(socket.inet_aton(given) for given in everywhere)
    assert "127.0.0.1" not in everywhere or everywhere == ["127.0.0.1"]


@pytest.mark.slow
def test_another_address_is_told_when_the_machine_gets_one(house: House, monkeypatch) -> None:
    """As seen by a neighbour: one address, that of the default route, and later the new one."""
    monkeypatch.setattr(_announcement, "LOOK_AGAIN_S", 0.2)
    monkeypatch.setattr(_announcement, "AsyncZeroconf", lambda: AsyncZeroconf(["127.0.0.1"]))
    house.adapters |= {"eth0": ["10.0.0.5"], "eth1": ["192.168.1.9"], "docker0": ["172.17.0.1"]}
    house.route = "192.168.1.9"

    name = f"{NAME} on the move"

    async def sees(*addresses: str) -> None:
        async with asyncio.timeout(120):
            told: list[str] = []
            while told != [*addresses]:
                told = (await asked(name, 3000)).parsed_addresses() or told
                assert len(told) < 2, "Home Assistant takes any of them"

    async def move() -> None:
        async with _announcement.announced(name, TcpAddress("0.0.0.0", 12_345)):
            await sees("192.168.1.9")
            house.adapters |= {"eth1": ["10.20.0.7"]}
            house.route = "10.20.0.7"
            await sees("10.20.0.7")

    asyncio.run(move())


async def asked(name: str, wait_ms: int) -> AsyncServiceInfo:
    """Return what a newcomer on the network is told of `name`."""
    network = AsyncZeroconf(["127.0.0.1"])
    found = AsyncServiceInfo(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}")
    await found.async_request(network.zeroconf, wait_ms)
    await network.async_close()
    return found


@pytest.mark.slow
def test_whoever_asks_for_the_first_time_is_told_the_address(monkeypatch) -> None:
    """The order of an answer hangs on names and on the process: many names, many orders."""
    monkeypatch.setattr(_announcement, "AsyncZeroconf", lambda: AsyncZeroconf(["127.0.0.1"]))

    async def told(name: str) -> list[str]:
        async with _announcement.announced(name, TcpAddress("127.0.0.1", 12_345)):
            return (await asked(name, 30_000)).parsed_addresses()

    async def all_told() -> list[list[str]]:
        return await asyncio.gather(*(told(f"{NAME}, {number}") for number in range(16)))

    assert asyncio.run(all_told()) == 16 * [["127.0.0.1"]]
