"""smart-turn, a public end-of-turn model, as the scorer of pauses."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.onnx_external import external_files
from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.segmentation.segment import PauseScore

WINDOW_S = 8
"""What the network hears: the newest so many seconds, silence in front of a shorter utterance."""

_WINDOW_SAMPLES = WINDOW_S * SAMPLE_RATE
_FEATURES = ("input_features", 80, 100 * WINDOW_S)
_VARIANCE_FLOOR = 1e-7


class SmartTurn:
    """Says how finished an utterance sounds by a file of smart-turn v3 (github.com/pipecat-ai).

    Runs on one thread, 30 to 50 ms a pause on a desktop's core, whatever the length. It says
    nothing of whom the speech was for.
    """

    def __init__(self, path: Path) -> None:
        """Load the graph and try it once.

        Raises:
            InputError: `path` is no ONNX file, or its graph takes or gives something else than
                log-mel `[1, 80, 800]` and one probability.
        """
        import onnxruntime

        if not path.is_file():
            raise InputError(
                f"no end-of-turn model at {shown(path)}; give the .onnx file of smart-turn v3"
            )
        _check_alone(path)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors come back as exceptions
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's errors share no narrower base
            reason = shown(" ".join(str(error).split())[:200])
            raise InputError(
                f"{shown(path)} cannot be loaded as an end-of-turn model ({reason}); give the "
                ".onnx file of smart-turn v3"
            ) from error
        self._path = path
        self._check_inputs()
        try:
            self._probability(np.zeros(0, np.int16))
        except InputError:
            raise
        except Exception as error:
            reason = shown(" ".join(str(error).split())[:200])
            raise InputError(
                f"{shown(path)} fails on silence ({reason}); is it smart-turn v3?"
            ) from error

    def score_pause(self, pcm: NDArray[np.int16]) -> PauseScore:
        """Return the score of `pcm`, `[N]` int16 at 16 kHz: pre-roll, speech, and the silence.

        Raises:
            TurboStreamError: the network gave no finite number.
        """
        return PauseScore(finished_probability=self._probability(pcm))

    def warm_up(self) -> None:
        """Do nothing: the graph ran once when it was loaded."""

    @cached_property
    def _extractor(self) -> Any:
        from faster_whisper.feature_extractor import FeatureExtractor

        return FeatureExtractor(feature_size=_FEATURES[1], chunk_length=WINDOW_S)

    def _probability(self, pcm: NDArray[np.int16]) -> float:
        wave = np.zeros(_WINDOW_SAMPLES, np.float32)
        newest = pcm[-_WINDOW_SAMPLES:]
        wave[_WINDOW_SAMPLES - len(newest) :] = newest
        # As Whisper's feature code does it: over the whole window, the silence in front included.
        wave = (wave / 32768 - wave.mean() / 32768) / np.sqrt(
            (wave / 32768).var() + _VARIANCE_FLOOR
        )
        mel = self._extractor(wave, padding=0)[np.newaxis].astype(np.float32)
        found = np.asarray(self._session.run(None, {_FEATURES[0]: mel})[0], np.float64)
        if found.size != 1:
            raise InputError(
                f"{shown(self._path)} gives {found.size} numbers an utterance where smart-turn v3 "
                "gives one probability"
            )
        probability = float(found.reshape(-1)[0])
        if not np.isfinite(probability):
            raise TurboStreamError(f"{self._path.name} gave no finite score for a pause")
        if not 0.0 <= probability <= 1.0:
            raise InputError(
                f"{shown(self._path)} gives {probability:.3g} where smart-turn v3 gives a "
                "probability"
            )
        return probability

    def _check_inputs(self) -> None:
        name, *sizes = _FEATURES
        inputs = self._session.get_inputs()
        found = str([(node.name, node.type, node.shape) for node in inputs])[:200]
        fits = len(inputs) == 1 and inputs[0].name == name and inputs[0].type == "tensor(float)"
        if not fits or list(inputs[0].shape[1:]) != sizes:
            raise InputError(
                f"{shown(self._path)} takes {shown(found)}, smart-turn v3 takes {name} "
                "[1, 80, 800]; give its .onnx file"
            )


def _check_alone(path: Path) -> None:
    """Refuse a file that has ONNX Runtime read others, which nobody named and no hash covers."""
    try:
        others = external_files(path)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{shown(path)} cannot be loaded as an end-of-turn model ({error}); give the .onnx "
            "file of smart-turn v3"
        ) from error
    if others:
        raise InputError(
            f"{shown(path)} would read further files, such as '{shown(min(others)[:100])}'; give "
            "the .onnx file of smart-turn v3, which is whole"
        )
