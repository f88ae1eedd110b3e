"""What one writes in twenty lines: cut at a fixed end silence, then `WhisperModel.transcribe`.

Run as `python -m tools.measurements.peers.plain_loop JOB`. The sound is cut by turbo_stream's
segmenter with its end silence fixed, so that nobody can say the loop was given a bad detector: it
decodes the same utterances, and only what comes after the endpoint differs.
"""

from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from tools.measurements.peers.child import BLOCK_MS, Answer, Job, Listen, run_child
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.benchmark.listen.paced_source import PacedSource
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import Segment
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

END_SILENCE_MS = 600.0


def load(job: Job) -> Listen:
    """Return the loop: one thread, INT8, beam 1, temperature 0, no timestamps, padded to 30 s."""
    from faster_whisper import WhisperModel

    model = WhisperModel(job.asr, device="cpu", compute_type="int8", cpu_threads=1)
    segmenter = Segmenter(
        load_vad(DEFAULT_VAD),
        SegmenterConfig(
            end_silence_ms=END_SILENCE_MS,
            end_silence_min_ms=END_SILENCE_MS,
            end_silence_max_ms=END_SILENCE_MS,
            short_extra_ms=0,
        ),
    )

    def text(pcm: NDArray[np.int16]) -> str:
        found, _ = model.transcribe(
            pcm.astype(np.float32) / 32768,
            language="en",
            beam_size=1,
            temperature=0.0,
            without_timestamps=True,
            condition_on_previous_text=False,
            # No guard: each of them could only save the loop work that is to be compared.
            compression_ratio_threshold=None,
            log_prob_threshold=None,
            no_speech_threshold=None,
        )
        return "".join(part.text for part in found).strip()

    def listen(pcm: NDArray[np.int16]) -> list[Answer]:
        answers = []
        sound = PacedSource(pcm, BLOCK_MS)
        for block in sound:
            for output in segmenter.process(block.pcm):
                if isinstance(output, Segment) and output.dropped is None:
                    endpoint_s = perf_counter() - sound.started_s
                    words = text(output.pcm)
                    answers.append(Answer(endpoint_s, perf_counter() - sound.started_s, words))
        return answers

    text(np.zeros(SAMPLE_RATE, np.int16))  # loads what is loaded lazily
    return listen


if __name__ == "__main__":
    run_child(load)
