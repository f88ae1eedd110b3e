"""An agent in pipecat that answers, and lets itself be interrupted, only where it is meant."""

import asyncio
from pathlib import Path

import soundfile
from pipecat.frames.frames import EndFrame, InputAudioRawFrame, LLMContextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.workers.runner import WorkerRunner

from turbo_stream import Models, Settings
from turbo_stream.adapters.pipecat import TurboSTT


class Answer(FrameProcessor):  # in place of your LLM, TTS and transport.output()
    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMContextFrame):
            print("to answer:", frame.context.messages[-1]["content"], flush=True)
        await self.push_frame(frame, direction)


async def main():
    user, _ = LLMContextAggregatorPair(LLMContext())
    worker = PipelineWorker(Pipeline([TurboSTT(Models.load(Settings(asr="tests/assets/whisper-kitchen"))), user, Answer()]))
    pcm, rate = soundfile.read(Path(__file__).with_name("kitchen.flac"), dtype="int16")
    for start in range(0, len(pcm), 320):  # in place of your transport.input()
        await worker.queue_frame(InputAudioRawFrame(pcm[start:][:320].tobytes(), rate, 1))
    await worker.queue_frame(EndFrame())
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await runner.run()


asyncio.run(main())
