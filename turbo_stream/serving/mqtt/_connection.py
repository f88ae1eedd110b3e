"""One connection to the broker: who logs in, what is left behind when it breaks."""

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiomqtt import Client, MqttError, ProtocolVersion, Will
from aiomqtt.exceptions import MqttCodeError, MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from turbo_stream._util.plain_text import decoded, has_mark
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving.mqtt._config import MqttConfig
from turbo_stream.serving.mqtt._link import Trouble

_LIBRARY_LOG = logging.getLogger(f"{__name__}.library")
_LIBRARY_LOG.setLevel(logging.CRITICAL)
"""The library logs a traceback for what a broken or hostile broker says. How a connection fares we
tell ourselves, in a line."""

UNAVAILABLE = json.dumps({"state": "unavailable"})
"""Retained on the topic `state` once this process is gone: its last will."""


# Of MQTT 5, 2.4; the codes of MQTT 3.1.1 are given as these.
_UNSUPPORTED_VERSION = 0x84
_SERVER_UNAVAILABLE, _SERVER_BUSY = 0x88, 0x89
_SESSION_TAKEN_OVER = 0x8E


class BrokerError(TurboStreamError):
    """The broker wants nothing to do with us."""


def trouble_of(error: MqttError) -> Trouble:
    """Return what `error` means for the next attempt."""
    if _code(error) == _SESSION_TAKEN_OVER:
        return "taken"
    if isinstance(error, MqttConnectError):
        busy = _code(error) in (_SERVER_UNAVAILABLE, _SERVER_BUSY)
        return "away" if busy else "refused"
    # aiomqtt hides the cause, not the context. A broker that just starts may end a handshake.
    why = error.__context__
    mistrusted = isinstance(why, ssl.SSLError) and not isinstance(why, ssl.SSLEOFError)
    return "refused" if mistrusted else "away"


def is_too_old(error: MqttError) -> bool:
    """Return whether the broker does not know MQTT 5."""
    return isinstance(error, MqttConnectError) and _code(error) == _UNSUPPORTED_VERSION


def _code(error: BaseException | None) -> int | None:
    """Return the broker's own reason for `error` or for what caused it."""
    while error is not None:
        if isinstance(error, MqttCodeError) and isinstance(error.rc, ReasonCode):
            return error.rc.value
        error = error.__cause__
    return None


def trust(config: MqttConfig) -> ssl.SSLContext | None:
    """Return how the broker proves who it is; None without TLS.

    Raises `InputError` for certificates that cannot be read.
    """
    if not config.address.tls:
        return None
    file = config.ca_file
    try:
        content = b"" if file is None else file.read_bytes()
        if has_mark(content):  # OpenSSL does not see the line behind it
            plain = decoded(content).encode("ascii", "replace").decode()
            return ssl.create_default_context(cadata=plain)
        return ssl.create_default_context(cafile=file)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"`mqtt_ca` {config.ca_file} holds no PEM certificate: {error}") from error


@asynccontextmanager
async def connected(
    config: MqttConfig, context: ssl.SSLContext | None, protocol: ProtocolVersion
) -> AsyncIterator[Client]:
    """Log in, and out when the context ends. Raises `MqttError` for everything that fails.

    With MQTT 5 a broker says why it ends a connection.

    A client of its own for each connection, because paho would repeat on the next one what it
    could not send on this one, and the outbox does that already.
    """
    address = config.address
    client = Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        # Always the same: the broker then ends a dead connection of ours, and publishes its will,
        # before it answers the new one, not after.
        identifier=config.client,
        protocol=protocol,
        will=Will(config.topic("state"), UNAVAILABLE, qos=1, retain=True),
        timeout=config.answer_s,
        keepalive=config.keepalive_s,
        tls_context=context,
        logger=_LIBRARY_LOG,
    )
    # The library takes others for those that are done, and never looks at what they hold.
    made, ended = client._connected, client._disconnected
    try:
        await client.__aenter__()
    except BaseException:
        # aiomqtt leaves the socket behind when nobody answers in time, and has no method for this.
        client._client.disconnect()
        await _end_task(client)
        _look_at(made, ended, client._disconnected)
        raise
    try:
        yield client
    finally:
        try:
            await client.__aexit__(None, None, None)
        finally:
            await _end_task(client)
            _look_at(made, ended, client._connected, client._disconnected)


async def _end_task(client: Client) -> None:
    """End what the library does once a second, which it leaves behind, too."""
    await asyncio.sleep(0)  # it begins a turn after the connection
    if client._misc_task is not None:
        client._misc_task.cancel()
        await asyncio.wait({client._misc_task})


def _look_at(*futures: asyncio.Future[Any]) -> None:
    """Take note of what went wrong: asyncio logs each failure that nobody has seen."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
