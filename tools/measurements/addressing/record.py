"""Record once what every utterance of a stream gives, for any mode and threshold to be applied to.

python -m tools.measurements.addressing.record MANIFEST... --asr DIR --noise NOISE --out FOLDER

Makes streams of the recordings, runs the segmenter, the recognizer and the detector of the product
over them, and writes one file for each stream; streams that are there are not made again. The
files hold texts of what a device would reject: keep them with the recordings.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from tools.measurements.addressing.streams import Clip, join, noise_stream, plans
from tools.measurements.vad.scenes import read_manifest
from turbo_stream._util.files import write_text
from turbo_stream.cli.command import run_command
from turbo_stream.deciding.decider import Decider
from turbo_stream.detection.detector import Detector, Score
from turbo_stream.pipeline import Models
from turbo_stream.recognition.recognizer import Spoken, Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.segmentation.segment import Segment
from turbo_stream.settings import Settings

_BLOCK = 1600

Pcm = NDArray[np.int16]


class Remembering:
    """A recognizer that reads the sound it was given last once, however often it is asked."""

    expects = True

    def __init__(self, inner: WhisperRecognizer) -> None:
        self.inner = inner
        self.name = inner.name
        self._of: Pcm | None = None
        self._plain: Transcript | None = None
        self.told: Transcript | None = None
        """The last reading that was told a name, since somebody set this to None."""

    def transcribe(self, pcm: Pcm) -> Transcript:
        """Return the plain reading."""
        if self._of is None or not np.array_equal(self._of, pcm):
            self._plain = self.inner.transcribe(pcm)
            self._of = pcm.copy()
        assert self._plain is not None
        return self._plain

    def transcribe_expecting(
        self, pcm: Pcm, names: Spoken, go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return the reading of one that expects `names`."""
        self.told = self.inner.transcribe_expecting(pcm, names, go_on)
        return self.told

    def warm_up(self) -> None:
        """Run once on silence."""
        self.inner.warm_up()


class _RememberingDetector:
    """Scores the same sound with the same text once."""

    def __init__(self, inner: Detector) -> None:
        self.inner = inner
        self.name = inner.name
        self._last: tuple[Pcm, Transcript, Score] | None = None

    def score(self, pcm: Pcm, transcript: Transcript) -> Score:
        last = self._last
        if last is None or last[1] != transcript or not np.array_equal(last[0], pcm):
            self._last = last = (pcm.copy(), transcript, self.inner.score(pcm, transcript))
        return last[2]

    def warm_up(self) -> None:
        """Run once on silence."""
        self.inner.warm_up()


def deciders(models: Models, names: Sequence[str]) -> dict[str, Decider]:
    """Return what decides for a device without a name (key ""), and for one of each name."""
    unnamed: Detector | None = None
    found = {}
    for name in ("", *names):
        pipeline = models.stream(names=(name,) if name else (), address="named" if name else "open")
        decider = pipeline.decider
        decider.sound_reject = 0.0
        if unnamed is None:
            unnamed = decider.detector = _RememberingDetector(decider.detector)
        else:
            decider.unnamed = unnamed
        found[name] = decider
    return found


def utterance(segment: Segment, of: dict[str, Decider]) -> dict[str, Any]:
    """Return all that decisions on `segment` are made of."""
    sound = of[""].score_sound(segment)
    plain = None
    found: dict[str, Any] = {}
    for name, decider in of.items():
        recognizer = decider.recognizer
        if isinstance(recognizer, Remembering):
            recognizer.told = None
        scored = decider.score(segment)
        assert scored is not None and scored.score is not None
        transcript = scored.hearing.transcript
        if plain is None:
            plain = transcript
        row: dict[str, Any] = {
            "use": scored.said.use,
            "closes": scored.said.closes,
            "score": scored.score.directed_probability,
        }
        if transcript.text != plain.text:
            row["text"] = transcript.text
        if isinstance(recognizer, Remembering) and recognizer.told is not None:
            row["told"] = recognizer.told.text
        found[name] = row
    assert plain is not None
    return {
        "id": segment.id,
        "start": segment.start_sample,
        "end": segment.end_sample,
        "sound": sound,
        "text": plain.text,
        "known": plain.known,
        "logprob": plain.confidence.avg_logprob if plain.confidence else None,
        "of": found,
    }


def record(
    models: Models, pcm: Pcm, clips: Sequence[Clip], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return a line about the stream, one for each recording in it, and one for each utterance."""
    lines: list[dict[str, Any]] = [{"kind": "stream", "samples": len(pcm), "names": list(names)}]
    for clip in clips:
        kept = ("set", "label", "text", "device_name", "group", "place")
        row = {key: clip.row.get(key) for key in kept}
        where = Path(str(clip.row["audio_filepath"])).stem
        lines.append({"kind": "clip", "start": clip.start, "stop": clip.stop, "file": where, **row})
    of = deciders(models, names)
    segmented = models.stream().segmented
    outputs = []
    for first in range(0, len(pcm), _BLOCK):
        outputs = segmented.process(pcm[first : first + _BLOCK])
        lines += _utterances(outputs, of)
    lines += _utterances(segmented.flush(), of)
    return lines


def _utterances(outputs: Sequence[object], of: dict[str, Decider]) -> list[dict[str, Any]]:
    segments = (one for one in outputs if isinstance(one, Segment) and one.dropped is None)
    return [{"kind": "utterance", **utterance(one, of)} for one in segments]


@click.command("tools.measurements.addressing.record", help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, metavar="DIR", help="Folder of a Whisper model.")
@click.option("--noise", type=click.Path(exists=True, path_type=Path), help="Manifest of noise.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", "names", multiple=True, help="Of the device, for rows that have none.")
@click.option("--set", "sets", multiple=True, help="Sets to record; all if absent.")
@click.option("--snr-db", type=float, help="Lay noise so far below the speech.")
@click.option("--noise-rounds", default=0, show_default=True, help="Streams of the noise alone.")
def main(
    manifests: tuple[Path, ...],
    asr: str,
    noise: Path | None,
    out: Path,
    names: tuple[str, ...],
    sets: tuple[str, ...],
    snr_db: float | None,
    noise_rounds: int,
) -> None:
    """Record the streams."""
    noises = read_manifest(noise) if noise else []
    rows = [row for path in manifests for row in read_manifest(path)]
    for row in rows:
        row.setdefault("set", "talk")
    if sets:
        rows = [row for row in rows if row["set"] in sets]
    models = Models.load(Settings(asr=Remembering(WhisperRecognizer(asr))))

    def write(name: str, pcm: Pcm, clips: Sequence[Clip], of: Sequence[str]) -> None:
        lines = record(models, pcm, clips, of)
        write_text(out / f"{name}.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
        print(name, len(pcm), len(lines), flush=True)

    out.mkdir(parents=True, exist_ok=True)
    for plan in plans(rows, names, snr_db):
        if not (out / f"{plan.name}.jsonl").exists():
            write(plan.name, *join(plan, noises), plan.names)
    for seed in range(noise_rounds):
        if not (out / f"noise_{seed}.jsonl").exists():
            write(f"noise_{seed}", noise_stream(noises, seed), [], names)


if __name__ == "__main__":
    sys.exit(run_command(main))
