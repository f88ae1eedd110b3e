"""RealtimeSTT (PyPI) over the sound: `python -m tools.measurements.peers.realtime_stt JOB`.

Its own voice detection and its own worker threads; sound goes in through `feed_audio`. As it comes
but for what makes it comparable: the CPU, INT8, beam 1, no second voice filter before Whisper.
`post_speech_silence_duration` stays at its 0.6 s, which it counts from 0.16 s of silence on.
"""

import os
import queue
import sys
import threading
import time
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from tools.measurements.peers.child import BLOCK_MS, Answer, Job, Listen, run_child
from turbo_stream.benchmark.listen.paced_source import PacedSource

LONGEST_ANSWER_S = 5.0
"""After the end of the sound, how long an answer is waited for."""


def load(job: Job) -> Listen:
    """Return RealtimeSTT with its model loaded and warm."""
    from RealtimeSTT import AudioToTextRecorder

    stops: queue.SimpleQueue[float] = queue.SimpleQueue()
    recorder = AudioToTextRecorder(
        model=str(Path(job.asr).resolve()),
        language="en",
        device="cpu",
        compute_type="int8",
        beam_size=1,
        use_microphone=False,
        spinner=False,
        no_log_file=True,
        faster_whisper_vad_filter=False,
        # In seconds, whatever its documentation says: it is compared with a difference of times.
        early_transcription_on_silence=job.early_s,
        on_recording_stop=lambda: stops.put(perf_counter()),
    )

    def listen(pcm: NDArray[np.int16]) -> list[Answer]:
        answers: list[Answer] = []
        sound = PacedSource(pcm, BLOCK_MS)

        def read() -> None:
            while True:
                text = recorder.text()
                answered_s = perf_counter() - sound.started_s
                answers.append(Answer(stops.get() - sound.started_s, answered_s, text))

        threading.Thread(target=read, daemon=True).start()
        for block in sound:
            recorder.feed_audio(block.pcm.tobytes())
        until_s = perf_counter() + LONGEST_ANSWER_S
        while not stops.empty() and perf_counter() < until_s:
            time.sleep(0.05)
        return answers

    return listen


if __name__ == "__main__":
    run_child(load)
    sys.stdout.flush()
    # Its threads wait for sound for ever.
    os._exit(0)
