"""Zeroconf: others on the network find the server while it is there."""

import asyncio
import os
import socket

import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")
pytest.importorskip("zeroconf", reason="needs the serve extra")

from zeroconf import IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from tests.serving.wyoming.running_service import running
from turbo_stream.serving.wyoming._announcement import (
    SERVICE_TYPE,
    network_addresses,
)

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
        async with asyncio.timeout(30):
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


def test_all_addresses_are_announced_where_all_are_listened_on() -> None:
    assert network_addresses("127.0.0.1") == ["127.0.0.1"]
    everywhere = network_addresses("0.0.0.0")
    assert everywhere and all(socket.inet_aton(given) for given in everywhere)
    assert "127.0.0.1" not in everywhere or everywhere == ["127.0.0.1"]
