"""The same streams heard by wake-word engines: where each finds its word, by sensitivity.

python -m tools.measurements.addressing.peers MANIFEST... --noise NOISE --out FOLDER --engine NAME

Engines, each imported only where it is asked for: `porcupine` (pvporcupine 1.9.5, which needs no
key), `openwakeword` (0.4.0, its own models by ONNX Runtime), `pyopen` (pyopen_wakeword 1.1.0) and
`micro` (pymicro_wakeword 2.5.0). Writes `FOLDER/ENGINE.jsonl`, a line for each stream and word.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from tools.measurements.addressing.streams import join, noise_stream, plans
from tools.measurements.vad.scenes import read_manifest
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command

Pcm = NDArray[np.int16]
Hits = dict[str, list[int]]
"""By setting the samples at which the word was found."""

Engine = Callable[[Pcm], Hits]

SENSITIVITIES = (0.5, 0.7)
"""Of Porcupine; 0.5 is its default."""

CUTOFFS = (0.3, 0.5, 0.7, 0.9, 0.97)
"""Scores from which on the others have found their word; 0.5 is the default."""

DEAF_S = 2.0
"""After a hit an engine is asked no more for so long."""


def porcupine(word: str) -> Engine:
    """Return Porcupine for one of its own words."""
    pvporcupine = import_module("pvporcupine")

    def hits(pcm: Pcm) -> Hits:
        found: Hits = {}
        for sensitivity in SENSITIVITIES:
            engine = pvporcupine.create(keywords=[word], sensitivities=[sensitivity])
            size = engine.frame_length
            starts = range(0, len(pcm) - size + 1, size)
            at = [start for start in starts if engine.process(pcm[start : start + size]) >= 0]
            found[f"{sensitivity:g}"] = apart(at)
            engine.delete()
        return found

    return hits


def openwakeword(word: str) -> Engine:
    """Return openWakeWord's own model of a word."""
    package = import_module("openwakeword.model")
    models = Path(str(package.__file__)).parent / "resources" / "models"
    path = next(models.glob(f"{_underscored(word)}_v*.onnx"))

    def hits(pcm: Pcm) -> Hits:
        model = package.Model(wakeword_model_paths=[str(path)])
        size = 1280
        scores = [
            max(model.predict(pcm[start : start + size]).values())
            for start in range(0, len(pcm) - size + 1, size)
        ]
        return _above(scores, size)

    return hits


def pyopen(word: str) -> Engine:
    """Return pyopen-wakeword's model of a word."""
    package = import_module("pyopen_wakeword")

    def hits(pcm: Pcm) -> Hits:
        model = package.OpenWakeWord.from_builtin(package.Model(_underscored(word)))
        features = package.OpenWakeWordFeatures.from_builtin()
        size = 1280
        scores = []
        for start in range(0, len(pcm) - size + 1, size):
            found = [
                score
                for made in features.process_streaming(pcm[start : start + size].tobytes())
                for score in model.process_streaming(made)
            ]
            scores.append(max(found, default=0.0))
        return _above(scores, size)

    return hits


def micro(word: str) -> Engine:
    """Return microWakeWord's model of a word, at its own cutoff."""
    package = import_module("pymicro_wakeword")

    def hits(pcm: Pcm) -> Hits:
        model = package.MicroWakeWord.from_builtin(package.Model(_underscored(word)))
        features = package.MicroWakeWordFeatures()
        size = 1280
        at = []
        for start in range(0, len(pcm) - size + 1, size):
            made = features.process_streaming(pcm[start : start + size].tobytes())
            found = [model.process_streaming(one) for one in made]  # each has to be heard
            if any(found):
                at.append(start)
        return {"own": apart(at)}

    return hits


ENGINES = {"porcupine": porcupine, "openwakeword": openwakeword, "pyopen": pyopen, "micro": micro}


def _underscored(word: str) -> str:
    return word.replace(" ", "_")


def apart(samples: list[int]) -> list[int]:
    """Return those of `samples`, in order, that are not soon after one that counts."""
    kept: list[int] = []
    for sample in samples:
        if not kept or sample - kept[-1] >= DEAF_S * SAMPLE_RATE:
            kept.append(sample)
    return kept


def _above(scores: list[float], size: int) -> Hits:
    return {
        f"{cutoff:g}": apart([n * size for n, score in enumerate(scores) if score >= cutoff])
        for cutoff in CUTOFFS
    }


def streams(
    manifests: tuple[Path, ...],
    noise: Path,
    snr_db: float | None,
    rounds: int,
    sets: tuple[str, ...],
) -> Iterator[tuple[str, Callable[[], Pcm]]]:
    """Yield the names of the recorder's streams, and how to make each."""
    noises = read_manifest(noise)
    rows = [row for path in manifests for row in read_manifest(path)]
    for row in rows:
        row.setdefault("set", "talk")
    chosen = [row for row in rows if not sets or row["set"] in sets]
    for plan in plans(chosen, (), snr_db):
        yield plan.name, lambda plan=plan: join(plan, noises)[0]  # type: ignore[misc]
    for seed in range(rounds):
        yield f"noise_{seed}", lambda seed=seed: noise_stream(noises, seed)  # type: ignore[misc]


@click.command("tools.measurements.addressing.peers", help=__doc__)
@click.argument("manifests", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--noise", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--engine", required=True, type=click.Choice(list(ENGINES)))
@click.option("--word", "words", multiple=True, required=True, help="Words to listen for.")
@click.option("--set", "sets", multiple=True, help="Sets to hear; all if absent.")
@click.option("--snr-db", type=float, help="Noise so far below the speech.")
@click.option("--noise-rounds", default=0, show_default=True, help="Streams of the noise alone.")
def main(
    manifests: tuple[Path, ...],
    noise: Path,
    out: Path,
    engine: str,
    words: tuple[str, ...],
    sets: tuple[str, ...],
    snr_db: float | None,
    noise_rounds: int,
) -> None:
    """Hear the streams; what there is already is left out."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{engine}.jsonl"
    known = path.read_text("utf-8").splitlines() if path.exists() else []
    done = {(row["stream"], row["word"]) for row in map(json.loads, known)}
    hearing = {word: ENGINES[engine](word) for word in words}
    with path.open("a", encoding="utf-8") as file:
        for name, make in streams(manifests, noise, snr_db, noise_rounds, sets):
            own = [word for word in words if (name, word) not in done and _hears(name, word, words)]
            pcm = make() if own else np.zeros(0, np.int16)
            for word in own:
                row = {"stream": name, "word": word, "samples": len(pcm)}
                print(json.dumps({**row, "hits": hearing[word](pcm)}), file=file, flush=True)


def _hears(stream: str, word: str, words: tuple[str, ...]) -> bool:
    """Return whether a stream is for `word`: not where it calls a device of another name."""
    marks = stream.split("_directed_")
    own = marks[1].split("_")[0].replace("-", " ").strip() if len(marks) > 1 else ""
    return not own or own == word or own == word.removeprefix("hey ")


if __name__ == "__main__":
    sys.exit(run_command(main))
