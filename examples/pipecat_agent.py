"""An agent in pipecat that answers, and lets itself be interrupted, only where it is meant.

python examples/pipecat_agent.py               # the recording that ships, or another
"""

import asyncio
import os
import sys
from pathlib import Path

import soundfile
from pipecat.frames.frames import EndFrame, Frame, InputAudioRawFrame, LLMContextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from turbo_stream import Models, Settings
from turbo_stream.adapters.pipecat import TurboSTT


class Answer(FrameProcessor):
    """Stands where your LLM, your TTS and `transport.output()` do."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Show what the LLM is asked."""
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            print("to answer:", frame.context.messages[-1]["content"], flush=True)
        await self.push_frame(frame, direction)


async def main() -> None:
    """Play a recording to the agent, where `transport.input()` would be."""
    user, _ = LLMContextAggregatorPair(LLMContext())
    models = Models.load(Settings(asr=os.environ.get("ASR", "auto")))
    worker = PipelineWorker(Pipeline([TurboSTT(models), user, Answer()]))
    sound = sys.argv[1] if sys.argv[1:] else Path(__file__).with_name("kitchen.flac")
    for block in soundfile.blocks(sound, 320, dtype="int16"):
        await worker.queue_frame(InputAudioRawFrame(block.tobytes(), 16_000, 1))
    await worker.queue_frame(EndFrame())
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main())
