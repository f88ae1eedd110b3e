"""Whether templates of frames find a taught name that readings miss.

python -m tools.measurements.teaching.templates MANIFEST... --readings READINGS.jsonl --asr DIR

Five sayings of a wake word are templates; others of it, by other speakers, are looked for with
dynamic time warping among recordings in which nobody says it. READINGS.jsonl as for the package;
what it lacks is read here. One half of the negatives chooses thresholds, the other is counted.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from tools.measurements.teaching.__main__ import SAYINGS, found, transcript
from tools.measurements.vad.scenes import read_manifest
from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.taught import TaughtName
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.tuning.lesson import kept_readings

Row = dict[str, Any]
Floats = NDArray[np.float32]

TOWER = {"front": "layer_norm_2", "middle": "layer_norm_4", "end": "layer_norm_8"}
"""Outputs of the sound tower's graph, `[1, N, F]`, from its front to its end."""

FRAME_SAMPLES = 640
"""All frames are brought to 25 a second."""

DIMENSIONS = 48
"""Of a frame: principal components of the negatives."""

QUIET_DB = 25.0
"""So far below the loudest frame a template ends."""

FALSE = (0.01, 0.001)
"""Shares of the negatives that may be taken for the name."""

LONGEST_SAMPLES = 96_000
"""Of a recording that is longer the front is looked at."""

KINDS = ("wake_words", "audiobook")
"""Sets that are looked at as a whole."""

_FAR = 1e3


class FrameMaker:
    """Makes frames of a sound in several ways."""

    def __init__(self, whisper: WhisperRecognizer) -> None:
        """Open the shipped tower's graph with what is inside it as outputs."""
        self._whisper = whisper
        graph = onnx.load(str(ModelPackage.load(None).folder / "model.int8.onnx"))
        for output in TOWER.values():
            graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(output))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(graph.SerializeToString(), options)

    def __call__(self, pcm: NDArray[np.int16]) -> dict[str, Floats]:
        """Return frames `[N, F]` of `pcm` by the way they were made."""
        count = -(-len(pcm) // FRAME_SAMPLES)
        fed = {
            "waveform": (pcm / np.float32(32768))[None],
            "waveform_length": np.array([len(pcm)]),
            "token_ids": np.zeros((1, 1), np.int64),
            "token_mask": np.ones((1, 1), np.int64),
            "confidence": np.array([[0, 0, 0, 1]], np.float32),
        }
        made = self._session.run(list(TOWER.values()), fed)
        ways = {f"tower, {name}": value[0] for name, value in zip(TOWER, made, strict=True)}
        ways["whisper"] = self._whisper.encode(pcm)
        ways["mel"] = self._whisper.reader.features(pcm, count * FRAME_SAMPLES).T
        return {name: _pooled(value, count) for name, value in ways.items()}


def _pooled(frames: Floats, count: int) -> Floats:
    """Return `frames` brought to `count` by the mean of neighbours."""
    by = max(1, round(len(frames) / count))
    whole = frames[: len(frames) // by * by].reshape(-1, by, frames.shape[1])
    return whole.mean(axis=1)[:count].astype(np.float32)


@dataclass
class Sound:
    """A recording."""

    row: Row
    frames: dict[str, Floats]
    spoken: slice
    """The frames that are loud."""


def sound_of(row: Row, pcm: NDArray[np.int16], maker: FrameMaker) -> Sound:
    """Return the frames of `pcm`, and which are loud."""
    frames = maker(pcm)
    count = min(map(len, frames.values()))
    power = np.zeros(count)
    for index in range(count):
        piece = pcm[index * FRAME_SAMPLES : (index + 1) * FRAME_SAMPLES].astype(float)
        power[index] = np.mean(piece**2) if len(piece) else 0
    loud = np.flatnonzero(power > power.max() * 10 ** (-QUIET_DB / 10))
    return Sound(row, frames, slice(int(loud[0]), int(loud[-1]) + 1))


class Space:
    """One way to make frames, in which those of all sounds are compared by their angle."""

    def __init__(self, name: str, sounds: Sequence[Sound], background: Sequence[Sound]) -> None:
        """Turn all frames to the principal components of `background`."""
        every = np.concatenate([sound.frames[name] for sound in background])
        self._mean, spread = every.mean(axis=0), every.std(axis=0) + 1e-6
        scaled = (every - self._mean) / spread
        _, axes = np.linalg.eigh(np.cov(scaled.T))
        self._turn = (axes[:, ::-1][:, :DIMENSIONS] / spread[:, None]).astype(np.float32)
        # Between all components alike and as they are.
        self._scale = ((every - self._mean) @ self._turn).std(axis=0) ** 0.5
        self.frames = [self._unit(sound.frames[name]) for sound in sounds]
        self._lengths = np.array([len(frames) for frames in self.frames])
        self._all = np.zeros((len(sounds), self._lengths.max(), DIMENSIONS), np.float32)
        for row, frames in zip(self._all, self.frames, strict=True):
            row[: len(frames)] = frames
        self._padded = np.arange(self._lengths.max()) >= self._lengths[:, None]

    def _unit(self, frames: Floats) -> Floats:
        turned = (frames - self._mean) @ self._turn / self._scale
        return turned / (np.linalg.norm(turned, axis=1, keepdims=True) + 1e-6)

    def distances(self, template: Floats) -> Floats:
        """Return how far each sound is from having `template` in it, by the mean over its frames.

        Of each frame of the template one or two of the sound may be used, and one for two.
        """
        apart = 1 - np.moveaxis(self._all @ template.T, 2, 0)
        apart[:, self._padded] = _FAR
        far = np.full_like(apart[0], _FAR)
        before, above = far, apart[0]
        for index in range(1, len(template)):
            one = _later(above, 1)
            np.minimum(one, _later(above, 2), out=one)
            np.minimum(one, _later(before, 1) + apart[index - 1], out=one)
            before, above = above, one + apart[index]
        return above.min(axis=1) / len(template)


def _later(row: Floats, by: int) -> Floats:
    moved = np.full_like(row, _FAR)
    moved[:, by:] = row[:, :-by]
    return moved


class Word:
    """One wake word among all sounds."""

    def __init__(self, name: str, sounds: Sequence[Sound]) -> None:
        """Find who says it, and what may be taken for it."""
        self.name = name
        rows = [sound.row for sound in sounds]
        self.rows = rows
        own = [row["name"] == name for row in rows]
        self.calls = [i for i, mine in enumerate(own) if mine]
        others = [i for i, mine in enumerate(own) if not mine]
        random.Random(3).shuffle(others)
        self.choosing, self.counted = others[::2], others[1::2]
        self._plain = Addressing.of("named", [name], 0, reads_again=True)
        self.doubted = np.array([self._plain.doubts(transcript(row["plain"])) for row in rows])
        self.read = np.array([found(self._plain, row, name) for row in rows])

    def draw(self, random_: random.Random, speakers: int) -> list[int]:
        """Return sayings to teach with: of `speakers`, as many of each as it takes."""
        groups: dict[str, list[int]] = defaultdict(list)
        for index in self.calls:
            groups[self.rows[index]["group"]].append(index)
        order = sorted(groups)
        random_.shuffle(order)
        if speakers == 1:  # of as few as have so many
            order.sort(key=lambda group: -min(len(groups[group]), SAYINGS))
        most = -(-SAYINGS // speakers)
        taken: list[int] = []
        for group in order:
            taken += random_.sample(groups[group], min(most, len(groups[group])))
        return taken[:SAYINGS]

    def by_readings(self, taken: Sequence[int]) -> NDArray[np.bool_]:
        """Return what is found as `turbo-tune name` has it."""
        ways = kept_readings(self.name, [transcript(self.rows[i]["plain"]) for i in taken])
        if not ways:
            return self.read
        lesson = TaughtName(self.name, "", tuple(ways))
        device = Addressing.of("named", [self.name], 0, reads_again=True, taught=[lesson])
        return np.array([found(device, row, self.name) for row in self.rows])

    def tested(self, taken: Sequence[int]) -> list[int]:
        """Return the calls by others than who taught."""
        who = {self.rows[i]["group"] for i in taken}
        return [i for i in self.calls if self.rows[i]["group"] not in who]


def results(
    word: Word, spaces: dict[str, Space], sounds: Sequence[Sound], speakers: int, draws: int
) -> dict[str, list[tuple[float, float]]]:
    """Return for each rule the shares found and falsely found, of each draw."""
    figures: dict[str, list[tuple[float, float]]] = defaultdict(list)
    random_ = random.Random(1)
    known: dict[tuple[str, int], Floats] = {}
    for _ in range(draws):
        taken = word.draw(random_, speakers)
        tested, read = word.tested(taken), word.by_readings(taken)
        figures["readings"].append(shares(read, tested, word.counted))
        for name, space in spaces.items():
            for index in taken:
                if (name, index) not in known:
                    template = space.frames[index][sounds[index].spoken]
                    known[name, index] = space.distances(template)
            nearest = np.sort([known[name, index] for index in taken], axis=0)
            distances = nearest[:2].mean(axis=0)
            for false in FALSE:
                within = np.quantile(distances[word.choosing], false)
                hit = distances <= within
                rules = {
                    "templates": hit,
                    "either": hit | read,
                    "either, doubted": (hit & word.doubted) | read,
                }
                for rule, found_ in rules.items():
                    key = f"{name}: {rule} at {false:.1%}"
                    figures[key].append(shares(found_, tested, word.counted))
    return figures


def shares(
    found_: NDArray[np.bool_], tested: Sequence[int], counted: Sequence[int]
) -> tuple[float, float]:
    """Return percent found of `tested` and of `counted`."""
    return 100 * float(found_[list(tested)].mean()), 100 * float(found_[list(counted)].mean())


def recordings(
    manifests: Sequence[Path], names: Sequence[str], read: dict[str, Row], every: int
) -> Iterator[Row]:
    """Yield what is looked at: all of the words, a part of the talk, with what was read of it."""
    for manifest in manifests:
        rows = read_manifest(manifest)
        talk = [row for row in rows if row["set"] == "acted_dialogue"]
        for row in [*(row for row in rows if row["set"] in KINDS), *talk[::every]]:
            path = row["audio_filepath"]
            name = row["device_name"] if row["set"] == "wake_words" else None
            reading = read.get(str(path.relative_to(manifest.parent)), {})
            yield {
                "path": path,
                "name": name,
                "group": row.get("group"),
                "plain": reading.get("plain"),
                "told": reading.get("told", {}),
            }


@click.command("tools.measurements.teaching.templates", help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--readings", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, metavar="DIR", help="Folder of a Whisper model.")
@click.option("--name", "names", multiple=True, help="Wake words; all if absent.")
@click.option("--every", default=4, show_default=True, help="Of the dialogue one line of so many.")
@click.option("--draws", default=10, show_default=True)
def main(
    manifests: tuple[Path, ...],
    readings: Path,
    asr: str,
    names: tuple[str, ...],
    every: int,
    draws: int,
) -> None:
    """Print a table."""
    read = {row["clip"]: row for row in map(json.loads, readings.read_text("utf-8").splitlines())}
    whisper = WhisperRecognizer(asr)
    maker = FrameMaker(whisper)
    rows = list(recordings(manifests, names, read, every))
    names = names or tuple(sorted({row["name"] for row in rows if row["name"]}))
    sounds = []
    for row in rows:
        pcm = read_clip(row["path"])[:LONGEST_SAMPLES]
        if row["plain"] is None:
            row["plain"] = [whisper.transcribe(pcm).text]
        sounds.append(sound_of(row, pcm, maker))
    background = [sound for sound in sounds if sound.row["name"] is None]
    click.echo(f"{len(sounds)} recordings, {len(background)} without a name")
    spaces = {name: Space(name, sounds, background) for name in sounds[0].frames}
    for speakers in (1, SAYINGS):
        everything: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for name in names:
            figures = results(Word(name, sounds), spaces, sounds, speakers, draws)
            means = {rule: np.mean(pairs, axis=0) for rule, pairs in figures.items()}
            for rule, mean in means.items():
                everything[rule].append((mean[0], mean[1]))
            click.echo(f"{speakers} speakers, {name}: " + shown(means))
        click.echo(f"{speakers} speakers, mean:")
        for rule, pairs in everything.items():
            click.echo("  " + shown({rule: np.mean(pairs, axis=0)}))


def shown(means: dict[str, NDArray[np.float64]]) -> str:
    """Return found and falsely found for a person."""
    return "; ".join(f"{rule} {mean[0]:.1f} ({mean[1]:.2f})" for rule, mean in means.items())


if __name__ == "__main__":
    raise SystemExit(run_command(main))
