"""What is said to a server is handed on; what it is only asked about is not."""

import asyncio
import shlex
from pathlib import Path

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector
from tests.support.served import shared_models
from turbo_stream.actions.actions import ActionsConfig
from turbo_stream.errors import InputError
from turbo_stream.serving.actions import ActionsService
from turbo_stream.serving.hub import Hub, Transport


async def speak(hub: Hub, transport: Transport, pcm: np.ndarray) -> None:
    async with hub.stream(transport=transport) as session:

        async def send() -> None:
            for start in range(0, len(pcm), 1600):
                await session.push(pcm[start : start + 1600])
            session.end()

        sending = asyncio.create_task(send())
        async for _ in session:
            pass
        await sending


@pytest.mark.parametrize(("probability", "count"), [(0.9, 6), (0.1, 0)])
def test_accepted_speech_of_every_stream_is_handed_on(
    excerpt, tmp_path: Path, probability: float, count: int
) -> None:
    out, said = tmp_path / "out", []
    out.touch()
    command = f"sh -c {shlex.quote('echo $1 >> $0')} {out} {{text}}"

    async def serve() -> None:
        hub = Hub()
        hub.load(shared_models(detector=LoudnessDetector(always=probability)))
        service = ActionsService(ActionsConfig(on_accept=command), said.append)
        running = asyncio.create_task(service.run(hub))
        await asyncio.sleep(0)
        await asyncio.gather(speak(hub, "websocket", excerpt), speak(hub, "wyoming", excerpt))
        await speak(hub, "rest", excerpt)
        await service.close()
        await running

    asyncio.run(serve())
    assert out.read_text() == "turn on the lights\n" * count
    assert said == []


def test_what_cannot_work_is_told_at_once() -> None:
    with pytest.raises(InputError, match="no program"):
        ActionsService(ActionsConfig(on_accept="no-such-program"), print)
