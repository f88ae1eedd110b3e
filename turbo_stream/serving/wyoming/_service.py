"""The Wyoming server beside the web server, over the same models."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from turbo_stream.errors import InputError
from turbo_stream.events import Ready
from turbo_stream.recognition.backends import BACKENDS
from turbo_stream.recognition.recognizer import NoRecognizer
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.wyoming._address import (
    StdioAddress,
    TcpAddress,
    UnixAddress,
    WyomingAddress,
    bind,
)
from turbo_stream.serving.wyoming._announcement import announced, check_name
from turbo_stream.serving.wyoming._conversation import Conversation
from turbo_stream.serving.wyoming._wire import connect, take_stdout


def describe(ready: Ready) -> Info:
    """Return the one program with its one model: the recognizer that was loaded."""
    name = ready.asr.split(":")[0]
    backend = BACKENDS.get(name)
    maker = Attribution(backend.maker, backend.address) if backend else Attribution(name, "")
    model = AsrModel(
        name=ready.asr,
        description=f"{ready.asr}, heard by {ready.model}",
        attribution=maker,
        installed=True,
        version=ready.version,
        languages=[ready.language],
    )
    program = AsrProgram(
        name="turbo_stream",
        description="Transcribes what was said to the device, and nothing of side talk",
        attribution=Attribution("turbo_stream", ""),
        installed=True,
        version=ready.version,
        models=[model],
        supports_transcript_streaming=True,
    )
    return Info(asr=[program])


class WyomingService:
    """Serves speech-to-text to Wyoming clients; see `Request` for what they are answered.

    Wyoming has no passwords: whoever reaches the address is served.
    """

    def __init__(
        self,
        address: WyomingAddress,
        *,
        announce: str | None = None,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Occupy `address`: sockets are bound, and standard output is taken from everybody else.

        Args:
            address: where clients come from.
            announce: the name under which the local network is told of it; None is not told.
            say: told in one line where the server listens.

        Raises:
            InputError: the address cannot be had, or not announced.
            TurboStreamError: something else listens there.
        """
        if announce is not None:
            check_name(announce)
            if not isinstance(address, TcpAddress):
                raise InputError(f"`zeroconf` announces tcp:// only, not {address}; leave it out")
        self._announce = announce
        self._say = say
        self._conversations: dict[asyncio.Task[None], Conversation] = {}
        self._closing = asyncio.Event()
        self._serving = False
        self._bound: socket.socket | None = None
        if isinstance(address, StdioAddress):
            self._output = take_stdout()
        else:
            self._bound = bind(address)
        if isinstance(address, TcpAddress) and self._bound is not None:
            address = replace(address, port=self._bound.getsockname()[1])
        self.address = address
        """With the port that was found, if any would do."""

    @property
    def alone(self) -> bool:
        """Whether this process is for one client only, and over when that has gone."""
        return isinstance(self.address, StdioAddress)

    async def run(self, hub: Hub) -> None:
        """Serve until `close`, or until the only client has gone.

        Raises `InputError` without a recognizer, and for files as standard input or output.
        """
        if isinstance(hub.models.recognizer, NoRecognizer):
            raise InputError("Wyoming returns texts, and `asr` none makes none; give a recognizer")
        info = describe(hub.models.ready())
        if self._bound is None:
            reader, writer = await connect(self._output)
            self._converse(Conversation(reader, writer, hub, info, only_client=True))
        else:
            await self._listen(hub, info, self._bound)
        while self._conversations:
            await asyncio.wait(self._conversations)

    async def close(self) -> None:
        """Take no new clients, and leave those there are once they are answered; idempotent."""
        self._closing.set()
        for conversation in list(self._conversations.values()):
            conversation.leave()
        if self._bound is not None and not self._serving:
            self._bound.close()
        if isinstance(self.address, UnixAddress):
            self.address.path.unlink(missing_ok=True)

    async def _listen(self, hub: Hub, info: Info, bound: socket.socket) -> None:
        turned_away = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal turned_away
            conversation = Conversation(reader, writer, hub, info)
            if len(self._conversations) < hub.limits.clients:
                self._converse(conversation)
            elif turned_away < hub.limits.clients:
                turned_away += 1
                try:
                    message = f"all {hub.limits.clients} connections are in use; try again later"
                    await conversation.turn_away(Refused("full", message))
                finally:
                    turned_away -= 1
            else:  # being told takes a while, too, and a file descriptor
                writer.transport.abort()

        async with AsyncExitStack() as stack:
            if isinstance(self.address, UnixAddress):
                server = await asyncio.start_unix_server(serve, sock=bound)
            else:
                server = await asyncio.start_server(serve, sock=bound)
            self._serving = True  # from here on the socket is the server's to close
            stack.callback(server.close)
            if self._announce is not None and isinstance(self.address, TcpAddress):
                await stack.enter_async_context(announced(self._announce, self.address))
            self._say(f"Wyoming on {self.address}")
            await self._closing.wait()

    def _converse(self, conversation: Conversation) -> None:
        task = asyncio.create_task(conversation.run(), name="wyoming")
        self._conversations[task] = conversation
        task.add_done_callback(self._conversations.pop)
