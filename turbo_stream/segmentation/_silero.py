"""Silero's voice activity detector (v6) on ONNX Runtime, from the copy inside faster-whisper."""

from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError

CONTEXT_SAMPLES = 64
"""Samples of the frame before that the network sees again."""

MODEL_FILE = "silero_vad_v6.onnx"

QUIET_FRAMES = 32
"""After this many frames without speech (1 s) the network starts anew: fed with a stream instead
of single clips its recall falls (clean speech with pauses: 0.82 against 0.88 with this)."""


def silero_path() -> Path:
    """Return the model file inside faster-whisper, which is not imported. Raises `InputError`."""
    spec = find_spec("faster_whisper")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "assets" / MODEL_FILE
        if path.is_file():
            return path
    raise InputError(
        f"{MODEL_FILE} was not found in faster-whisper; install faster-whisper>=1.2.1 "
        "or use `vad` webrtc"
    )


@dataclass
class SileroState:
    """What the network carries from frame to frame."""

    hidden: NDArray[np.float32] = field(default_factory=lambda: np.zeros((1, 1, 128), np.float32))
    cell: NDArray[np.float32] = field(default_factory=lambda: np.zeros((1, 1, 128), np.float32))
    context: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros(CONTEXT_SAMPLES, np.float32)
    )
    offset: float | None = None
    """Constant part of the signal, int16 units: the network takes it for anything but speech."""

    quiet_frames: int = 0
    """Newest frames without speech."""


class SileroVad:
    """Silero VAD v6 (github.com/snakers4/silero-vad), frames of 32 ms, one thread.

    Raises `InputError` when the model file is missing.
    """

    name = "silero"
    frame_samples = 512
    onset_threshold = 0.4
    hold_threshold = 0.35

    def __init__(self) -> None:
        self._session = _shared_session(silero_path())
        self._state = SileroState()

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return the probability of speech in `frame`, `[512]` int16."""
        state = self._state
        mean = float(frame.mean())
        state.offset = mean if state.offset is None else state.offset + (mean - state.offset) / 20
        samples: NDArray[np.float32] = (frame - np.float32(state.offset)) / np.float32(32768)
        row = np.concatenate((state.context, samples))[None]
        probability, state.hidden, state.cell = self._session.run(
            None, {"input": row, "h": state.hidden, "c": state.cell}
        )
        state.context = samples[-CONTEXT_SAMPLES:]
        answer = float(probability.reshape(-1)[0])
        state.quiet_frames = state.quiet_frames + 1 if answer < self.hold_threshold else 0
        if state.quiet_frames == QUIET_FRAMES:
            self._state = SileroState(context=state.context, offset=state.offset)
        return answer

    def reset(self) -> None:
        """Forget the stream."""
        self._state = SileroState()


@cache
def _shared_session(path: Path) -> Any:
    """Return the network, which keeps no state: one is enough for any number of streams."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
