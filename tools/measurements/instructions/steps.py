"""The steps that are counted: `python -m tools.measurements.instructions.steps RUNS [WHISPER]`.

Runs each of them once to warm it and then RUNS times. Before and after all of its runs stands a
call of `getppid`, which nothing else here makes: whoever counts from outside knows by them where
a step begins and ends. Prints the steps as JSON, in order, with the processor time they took here.
"""

import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import to_samples
from turbo_stream.benchmark.sound.joining import quiet_room
from turbo_stream.benchmark.sound.material import KITCHEN, read_recording
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.recognition.recognizer import Confidence, Transcript
from turbo_stream.recognition.window import WindowConfig
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

QUIET_S = 4
SPEECH_S = (4.4, 8.4)
"""A sentence and the pauses around it."""

UTTERANCE_S = (0.9, 3.1)
"""Turn on the kitchen lights."""

TURBO_S = (1, 2, 3, 5)
WINDOWS_S = (5, 10, 30)
WINDOW_S = WindowConfig().floor_s
_LONGEST_TEXT = 40


@dataclass(frozen=True)
class Step:
    """Something that the device does."""

    name: str
    per: float
    """What the count is divided by: seconds of sound, or 1."""

    cpu_ms: float
    """Median processor time of a run here, divided likewise."""


def _segmentation(pcm: NDArray[np.int16]) -> Callable[[], object]:
    segmenter = Segmenter(load_vad(DEFAULT_VAD))

    def run() -> None:
        segmenter.reset()
        for start in range(0, len(pcm), 512):
            segmenter.process(pcm[start : start + 512])

    return run


def _steps(whisper: str | None) -> Iterator[tuple[str, float, Callable[[], object]]]:
    kitchen = read_recording(KITCHEN).pcm
    yield "segmentation, 1 s of a quiet room", QUIET_S, _segmentation(quiet_room(QUIET_S))
    start, stop = map(to_samples, SPEECH_S)
    speech = kitchen[start:stop]
    yield "segmentation, 1 s of speech", SPEECH_S[1] - SPEECH_S[0], _segmentation(speech)
    turbo = TurboDetector(ModelPackage.load(None))
    heard = Transcript("turn on the kitchen lights", Confidence(-0.3))
    for seconds in TURBO_S:
        pcm = kitchen[: to_samples(seconds)]
        yield f"Turbo on {seconds} s", 1, partial(turbo.score, pcm, heard)
    if whisper is not None:
        yield from _whisper_steps(whisper, kitchen)


def _whisper_steps(
    whisper: str, kitchen: NDArray[np.int16]
) -> Iterator[tuple[str, float, Callable[[], object]]]:
    from turbo_stream.recognition.whisper_model import find_model
    from turbo_stream.recognition.whisper_reader import WhisperReader

    reader = WhisperReader(find_model(Path(whisper)), language=None, cpu_threads=1)
    start, stop = map(to_samples, UTTERANCE_S)
    pcm = kitchen[start:stop]
    windows_s = [s for s in WINDOWS_S if to_samples(s) <= reader.longest]
    for window_s in windows_s:
        window = to_samples(window_s)
        features = reader.features(pcm, window)
        yield f"Whisper log-mel, {window_s} s", 1, partial(reader.features, pcm, window)
        yield f"Whisper encoder, {window_s} s", 1, partial(reader.encode, features)
        if window_s < WINDOW_S:
            continue  # what is read in so short a window may be one word over and over
        states = reader.encode(features)
        tokens = reader.decode(states, _LONGEST_TEXT).tokens
        name = f"Whisper decoder, {window_s} s, {tokens} tokens"
        yield name, 1, partial(reader.decode, states, _LONGEST_TEXT)


def _main(runs: int, whisper: str | None = None) -> None:
    counted = []
    for name, per, run in _steps(whisper):
        run()
        cpu_s = []
        os.getppid()
        for _ in range(runs):
            started = process_time()
            run()
            cpu_s.append(process_time() - started)
        os.getppid()
        counted.append(Step(name, per, 1000 * statistics.median(cpu_s) / per))
    print(json.dumps([asdict(step) for step in counted]))


if __name__ == "__main__":
    _main(int(sys.argv[1]), *sys.argv[2:])
