"""turbo_stream inside a FastAPI application of yours.

    pip install '.[serve]' fastapi    # in the checkout
    uvicorn examples.fastapi_app:app --ws websockets-sansio

`/turbo` is the whole of turbo-serve, with its page, WebSocket and metrics; `/rooms/{room}` is an
endpoint of your own over the same models: sound in, and only what is to be done out.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import numpy as np
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from turbo_stream import Models, Settings, Utterance
from turbo_stream.serving.app import make_app
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.session import Session

hub = Hub()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Load the models once; let clients have their last events at the end."""
    hub.load(Models.load(Settings(asr=os.environ.get("ASR", "auto"))))
    yield
    await hub.drain()


app = FastAPI(lifespan=lifespan)
app.mount("/turbo", make_app(hub))


@app.websocket("/rooms/{room}")
async def listen(websocket: WebSocket, room: str) -> None:
    """Take s16le sound and answer with what was meant for the device; an empty message ends it."""
    await websocket.accept()

    async def tell(session: Session) -> None:
        async for event in session:
            if isinstance(event, Utterance) and event.decision == "accepted":
                await websocket.send_json({"room": room, "text": event.text})

    with suppress(WebSocketDisconnect):
        async with hub.stream(transport="websocket") as session:
            telling = asyncio.create_task(tell(session))
            while sound := await websocket.receive_bytes():
                await session.push(np.frombuffer(sound, "<i2").astype(np.int16))
            session.end()
            await telling
        await websocket.close()
