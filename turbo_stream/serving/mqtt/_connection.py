"""One connection to the broker: who logs in, what is left behind when it breaks."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiomqtt import Client, Will

from turbo_stream._util.plain_text import decoded, has_mark
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving.mqtt._config import MqttConfig

UNAVAILABLE = json.dumps({"state": "unavailable"})
"""Retained on the topic `state` once this process is gone: its last will."""


class BrokerError(TurboStreamError):
    """The broker cannot be reached, or wants nothing to do with us."""


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
async def connected(config: MqttConfig, context: ssl.SSLContext | None) -> AsyncIterator[Client]:
    """Log in, and out when the context ends. Raises `MqttError` for everything that fails.

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
        identifier=f"turbo_stream-{config.node}",
        will=Will(config.topic("state"), UNAVAILABLE, qos=1, retain=True),
        timeout=config.answer_s,
        keepalive=config.keepalive_s,
        tls_context=context,
    )
    try:
        await client.__aenter__()
    except BaseException:
        # aiomqtt leaves the socket and its own task behind when nobody answers in time, and has no
        # method for this.
        client._client.disconnect()
        if client._misc_task is not None:
            await asyncio.wait({client._misc_task}, timeout=1)
        raise
    try:
        yield client
    finally:
        await client.__aexit__(None, None, None)
