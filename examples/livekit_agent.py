"""An agent in LiveKit that answers, and lets itself be interrupted, only where it is meant.

python examples/livekit_agent.py               # the recording that ships, or another
"""

import asyncio
import os
import sys
from pathlib import Path

import soundfile
from livekit.agents import Agent, AgentSession, ChatContext, ChatMessage
from livekit.agents.voice.io import AudioInput
from livekit.rtc import AudioFrame

from turbo_stream import Models, Settings
from turbo_stream.adapters.livekit import TurboSTT


class Recording(AudioInput):
    """Stands where your room does, four times as fast."""

    def __init__(self, sound: str | Path) -> None:
        super().__init__(label="recording")
        self.blocks = soundfile.blocks(sound, 320, dtype="int16")
        self.over = asyncio.Event()

    async def __anext__(self) -> AudioFrame:
        """Return the next 20 ms."""
        await asyncio.sleep(0.005)
        if (block := next(self.blocks, None)) is not None:
            return AudioFrame(block.tobytes(), 16_000, 1, len(block))
        self.over.set()
        raise StopAsyncIteration


class Answering(Agent):
    """Has no LLM and no TTS; yours is given to the session."""

    async def on_user_turn_completed(self, turn_ctx: ChatContext, new_message: ChatMessage) -> None:
        """Show what the LLM would be asked."""
        print("to answer:", new_message.text_content, flush=True)


async def main() -> None:
    """Play a recording to the agent."""
    stt = TurboSTT(Models.load(Settings(asr=os.environ.get("ASR", "auto"))))
    session = AgentSession(stt=stt, vad=None, turn_handling={"turn_detection": "stt"})
    sound = sys.argv[1] if sys.argv[1:] else Path(__file__).with_name("kitchen.flac")
    session.input.audio = recording = Recording(sound)
    await session.start(Answering(instructions=""))
    await recording.over.wait()
    await asyncio.sleep(4)  # for the last decision
    await session.aclose()


if __name__ == "__main__":
    asyncio.run(main())
