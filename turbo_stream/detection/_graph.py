"""The network itself: the package's ONNX graph in an ONNX Runtime session."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.onnx_session import session_options
from turbo_stream._util.origin import Origin
from turbo_stream._util.shown import shown
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import PackageError, TurboStreamError
from turbo_stream.recognition.told import NOTHING

_INPUTS = {
    "token_ids": ("tensor(int64)", 2),
    "token_mask": ("tensor(int64)", 2),
    "confidence": ("tensor(float)", 2),
}
"""Type and number of dimensions of every input but those that stand for the sound."""

_OUTPUTS = ("logits", "audio_embedding", "text_embedding")

_END_OF_TURN = "end_of_turn"
"""A fourth output that a package may have, `[B]`."""

_MOST_SHOWN = 500


@dataclass(frozen=True)
class GraphOutput:
    """What the network says of one utterance."""

    logits: NDArray[np.float32]
    """`[K]`, not calibrated."""

    audio_embedding: NDArray[np.float32]
    """`[D]`."""

    text_embedding: NDArray[np.float32]
    """`[D]`."""

    end_of_turn: float | None
    """Logit of the speaker having finished; None from a graph without that output."""


class TurboGraph:
    """Runs the graph on one utterance at a time.

    One at a time because dynamic INT8 quantization takes its activation scales over the whole
    batch: beside a loud neighbour the same utterance would score differently.
    """

    def __init__(self, package: ModelPackage, *, threads: int = 1, largest_token_id: int = 0):
        """Load the graph and try it once.

        Raises:
            PackageError: the graph cannot be loaded, has other inputs or outputs than the
                package format says, or cannot embed `largest_token_id`.
        """
        import onnxruntime

        self._path = package.path(GRAPH_NAME)
        self._origin = Origin(package.name)
        self._classes = len(package.labels)
        self._sound = package.sound_input
        self._inputs = {**self._sound.signature, **_INPUTS}
        try:
            self._session = onnxruntime.InferenceSession(
                str(self._path), session_options(threads), providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the runtime's errors share no narrower base
            raise self._refuse(f"cannot be loaded: {_one_line(error)}") from error
        self._check_signature()
        ids = np.array([[largest_token_id]], np.int64)
        try:
            no_sound = np.zeros(0, np.int16)
            self.run(no_sound, ids, np.ones_like(ids), NOTHING.vector, self.silence(0))
        except Exception as error:
            cause = error.__cause__ or error
            raise self._refuse(f"fails on silence: {_one_line(cause)}") from error

    def run(
        self,
        pcm: NDArray[np.int16],
        token_ids: NDArray[np.int64],
        token_mask: NDArray[np.int64],
        confidence: NDArray[np.float32],
        states: NDArray[np.float32] | None = None,
    ) -> GraphOutput:
        """Return the network's outputs for one utterance.

        Args:
            pcm: `[N]` int16 at 16 kHz, N from 0; of a longer one the last `max_seconds` count.
            token_ids: `[1, L]`, L at least 1.
            token_mask: `[1, L]`, 1 where a token stands.
            confidence: `[4]`, see `Told`.
            states: `[N, F]` of the recognizer, for a network that reads them instead of `pcm`.

        Raises:
            TurboStreamError: the network gave something that is no finite number, or failed, or
                there are no states for a network that reads them.
            ForkError: this is not the process that loaded the graph.
            ValueError: an input has another number of rows than one.
        """
        self._origin.check()
        fed = {
            **self._sound.feed(pcm, states),
            "token_ids": token_ids,
            "token_mask": token_mask,
            "confidence": confidence[np.newaxis],
        }
        if any(len(given) != 1 for given in fed.values()):
            sizes = ", ".join(f"{name} {len(given)}" for name, given in fed.items())
            raise ValueError(f"the network takes one utterance a run; rows given: {sizes}")
        try:
            outputs = self._session.run(self._outputs, fed)
        except Exception as error:  # the runtime's errors share no narrower base
            # Its words may tell of what was said.
            kind = type(error).__name__
            raise TurboStreamError(f"{self._path.name} failed on an utterance ({kind})") from error
        logits, audio_embedding, text_embedding, *end_of_turn = outputs
        if logits.shape != (1, self._classes):
            raise self._refuse(f"gives logits of shape {logits.shape} for {self._classes} labels")
        if not all(np.isfinite(scores).all() for scores in (logits, *end_of_turn)):
            raise TurboStreamError(f"{self._path.name} gave no finite score for an utterance")
        finished = float(end_of_turn[0][0]) if end_of_turn else None
        return GraphOutput(logits[0], audio_embedding[0], text_embedding[0], finished)

    def silence(self, samples: int) -> NDArray[np.float32] | None:
        """Return states of silence for `run`; None where the network reads the samples."""
        return self._sound.states_of_silence(samples)

    def _check_signature(self) -> None:
        found = {node.name: (node.type, len(node.shape)) for node in self._session.get_inputs()}
        for name, wanted in self._inputs.items():
            if found.get(name) != wanted:
                raise self._refuse(f"input {name!r} is {found.get(name)}, must be {wanted}")
        if extra := sorted(found.keys() - self._inputs.keys()):
            raise self._refuse(f"wants inputs that nobody has: {', '.join(extra)}")
        names = {node.name for node in self._session.get_outputs()}
        if missing := [name for name in _OUTPUTS if name not in names]:
            raise self._refuse(f"has no output {', '.join(missing)}")
        self._outputs = [name for name in (*_OUTPUTS, _END_OF_TURN) if name in names]

    def _refuse(self, problem: str) -> PackageError:
        # A problem may quote names of the graph.
        return PackageError(f"{shown(self._path)} {shown(problem[:_MOST_SHOWN])}")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:297] + "..."
