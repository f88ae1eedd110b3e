"""Makes the pauses of a collection from its recordings: streams, detector, segmenter, judges."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.turbo import Turbo
from tools.measurements.end_of_turn.material import Collection
from tools.measurements.end_of_turn.patient import Paused, pauses_of
from tools.measurements.end_of_turn.pauses import Pauses, joined
from tools.measurements.end_of_turn.streams import Stream, build_streams
from tools.measurements.end_of_turn.waits import log_odds
from tools.measurements.vad.scores import listen
from training.data.clip import as_wave
from training.end_of_turn.windows import as_given, window_rows
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.errors import InputError
from turbo_stream.segmentation.segment import PauseScorer
from turbo_stream.segmentation.smart_turn import SmartTurn
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

SEED = 19
"""Which recordings stand beside each other, how far apart, and in which noise."""

Track = Callable[[Sequence[Stream], str], Iterable[Stream]]
"""Shows how far a loop over streams has come, of the collection so called."""


class Hearing:
    """The package, and smart-turn where it is given, at the pauses of streams."""

    def __init__(self, package: ModelPackage, network: Turbo, smart_turn: Path | None) -> None:
        """Load both; `package` has an end-of-turn head, `network` is what its graph holds."""
        self._judge: PauseScorer = TurboDetector(package)
        self._public = None if smart_turn is None else SmartTurn(smart_turn)
        self._network = network

    def pauses(
        self, collection: Collection, rows: list[dict], noises: list[dict], track: Track
    ) -> Pauses:
        """Return the pauses in streams of `rows`, the recordings of `collection`, and `noises`."""
        count = len(rows) if collection.clips is None else collection.clips
        streams = build_streams(rows, noises, (collection.name,), count, SEED)
        parts: list[Pauses] = []
        before = 0
        vad = load_vad(DEFAULT_VAD)
        for stream in track(streams, collection.name):
            found = list(pauses_of(stream.scene, listen(vad, stream.scene)[0]))
            if found:
                parts.append(self._judged(collection, stream.scene.condition, found, before))
            before += len(stream.scene.spans)
        if not parts:
            raise InputError(f"in {collection.name} no speech is heard; give recordings of speech")
        return joined(parts)

    def _judged(
        self, collection: Collection, condition: str, found: Sequence[Paused], before: int
    ) -> Pauses:
        """Return what is known of the pauses `found` in one stream, after `before` other clips."""
        clips = np.array([before + one.span for one in found])
        said = np.array([self._probability(self._judge, one.pcm) for one in found])
        asked = self._public if collection.public_judge else None
        waves = [as_given(self._network, as_wave(one.pcm)) for one in found]
        return Pauses(
            condition=np.full(len(found), condition),
            clip=clips,
            last=np.append(clips[1:] != clips[:-1], True),
            silence_ms=np.array([one.silence_ms for one in found]),
            voiced_ms=np.array([one.voiced_ms for one in found]),
            lag_ms=np.array([one.lag_ms for one in found]),
            log_odds=log_odds(said),
            public=np.array([self._probability(asked, one.pcm) for one in found]),
            windows=window_rows(self._network, waves),
        )

    @staticmethod
    def _probability(judge: PauseScorer | None, pcm: NDArray[np.int16]) -> float:
        said = None if judge is None else judge.score_pause(pcm).finished_probability
        return float("nan") if said is None else said
