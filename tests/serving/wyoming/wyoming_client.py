"""A client made of the library's own, that drives any Wyoming speech-to-text server."""

import asyncio

import numpy as np
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe

CHUNK = 1024
"""Samples, as Home Assistant sends them."""


def chunk(pcm: np.ndarray, rate: int = 16_000, channels: int = 1) -> AudioChunk:
    """Return `pcm`, of any integer type, as one chunk."""
    return AudioChunk(rate, pcm.dtype.itemsize, channels, pcm.tobytes())


def request(pcm: np.ndarray, *, timestamp: int | None = None) -> list[Event]:
    """Return the events by which Home Assistant asks for the text of `pcm`, 16 kHz mono."""
    return [
        Transcribe(language="en").event(),
        AudioStart(16_000, 2, 1, timestamp).event(),
        *(chunk(pcm[i : i + CHUNK]).event() for i in range(0, len(pcm), CHUNK)),
        AudioStop().event(),
    ]


async def read_until(client: AsyncClient, kind: str | None) -> list[Event]:
    """Return what the server sends, up to `kind` or, if that is None or never comes, the end."""
    seen: list[Event] = []
    async with asyncio.timeout(60):
        while (event := await client.read_event()) is not None:
            seen.append(event)
            if event.type == kind:
                break
    return seen


async def ask(uri: str, events: list[Event], *, until: str | None = "transcript") -> list[Event]:
    """Send `events` over a new connection; return what is answered."""
    async with AsyncClient.from_uri(uri) as client:
        for event in events:
            await client.write_event(event)
        return await read_until(client, until)


async def information(uri: str) -> Event:
    """Return the server's answer to `describe`."""
    (answer,) = await ask(uri, [Describe().event()], until="info")
    return answer


def text(events: list[Event]) -> str:
    """Return the text of the one transcript among `events`."""
    (transcript,) = [event for event in events if Transcript.is_type(event.type)]
    return Transcript.from_event(transcript).text


def kinds(
    events: list[Event], without: str | tuple[str, ...] = ("voice-", "transcript-")
) -> list[str]:
    """Return the types of `events`, but for those that begin with `without`."""
    return [event.type for event in events if not event.type.startswith(without)]
