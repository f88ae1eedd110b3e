"""turbo_stream's live shell over the sound: `python -m tools.measurements.peers.ours JOB`."""

import numpy as np
from numpy.typing import NDArray

from tools.measurements.peers.child import BLOCK_MS, Answer, Job, Listen, run_child
from turbo_stream import Pipeline
from turbo_stream.benchmark.listen.timed_decisions import hear_live
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig


class OneReading(WindowConfig):
    """The usual window, and no longer one for a doubtful text."""

    def readings(self, sound: int, longest: int) -> tuple[int, ...]:
        """Return the usual window alone."""
        return super().readings(sound, longest)[:1]


def load(job: Job) -> Listen:
    """Return the live shell with the shipped Turbo and everything else as it comes."""
    pipeline = Pipeline.load(asr=job.asr)
    recognizer = pipeline.decider.recognizer
    if not job.second_readings and isinstance(recognizer, WhisperRecognizer):
        recognizer.window = OneReading(recognizer.window.floor_s, recognizer.window.margin_s)

    def listen(pcm: NDArray[np.int16]) -> list[Answer]:
        return [
            Answer(
                one.endpoint_s,
                one.at_s,
                one.utterance.text,
                one.utterance.asr.get("guard"),
            )
            for one in hear_live(pipeline, Stream("", pcm, None), BLOCK_MS).decisions
        ]

    return listen


if __name__ == "__main__":
    run_child(load)
