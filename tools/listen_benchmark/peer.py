"""The named peer: a plain loop over faster-whisper's own `WhisperModel.transcribe`.

`python -m tools.listen_benchmark.peer FOLDER RECORDING` is how `measure_peer` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from time import perf_counter, process_time

from tools.listen_benchmark.options import Options
from turbo_stream.timebase import SAMPLE_RATE

CHUNK_S = 5.0
"""What a program without a segmenter of its own would hand over at a time."""


def measure_peer(options: Options, own: dict) -> dict:
    """Return the cost of faster-whisper alone over the same recording with the same weights.

    `own` is the cost of the core over that file; `over_own` says how many times as much CPU and
    wall time the peer takes.

    `whole_file` is one call, which packs all speech into windows of 30 s and cannot run live;
    `chunks` calls it every 5 s, as a live program would. Both use the peer's voice detector,
    beam 1 and no fallback temperatures, as `turbo-listen` does, and one thread.
    """
    command = [sys.executable, "-m", "tools.listen_benchmark.peer", options.asr]
    figures = json.loads(subprocess.check_output([*command, str(options.recording)]))
    for way in ("whole_file", "chunks"):
        figures[way]["over_own"] = {key: figures[way][key] / own[key] for key in own}
    return figures


def _measure(folder: str, recording: str) -> dict:
    import faster_whisper
    from faster_whisper import WhisperModel, decode_audio

    started = perf_counter()
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)
    load_s = perf_counter() - started
    sound = decode_audio(recording)
    step = round(CHUNK_S * SAMPLE_RATE)
    chunks = [sound[at : at + step] for at in range(0, len(sound), step)]

    def transcribe(parts: list) -> dict:
        wall, cpu, tokens = perf_counter(), process_time(), 0
        for part in parts:
            # The detector zeroes the end of the array it is given: a copy each time.
            segments, _ = model.transcribe(
                part.copy(),
                vad_filter=True,
                beam_size=1,
                temperature=0.0,
                without_timestamps=True,
                condition_on_previous_text=False,
            )
            tokens += sum(len(segment.tokens) for segment in segments)
        wall, cpu = perf_counter() - wall, process_time() - cpu
        audio_s = len(sound) / SAMPLE_RATE
        return {
            "real_time_factor": wall / audio_s,
            "cpu_per_audio_second": cpu / audio_s,
            "tokens": tokens,
        }

    transcribe(chunks[:1])  # loads the voice detector
    return {
        "peer": f"faster-whisper {faster_whisper.__version__}",
        "load_s": load_s,
        "whole_file": transcribe([sound]),
        "chunks": {"chunk_s": CHUNK_S, **transcribe(chunks)},
    }


if __name__ == "__main__":
    print(json.dumps(_measure(*sys.argv[1:])))
