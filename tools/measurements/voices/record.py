"""Makes the vectors of known speakers, as they are and in noise.

python -m tools.measurements.voices.record DATA OUT.npz [CORPUS]...

DATA holds `speech.jsonl`, `emotion.jsonl`, `acted_dialogue.jsonl` and `noise.jsonl`. Only corpora
whose `speaker` is known count, not those where it was estimated. Of a recording that was cut more
than once one piece is taken, so that no speaker is compared with the same sound. Beside the voice's
vector stands one that hears no voice: mean and spread of the log-mel powers over the whole clip,
which is the channel. In quiet the first 1 and 2 s of speech are taken, too.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.detection.speech_part import speech_edges
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.voices.encoder import VoiceEncoder, mean_vector, windows_of
from turbo_stream.voices.mel import mel_powers

CORPORA = {
    "single_words": "single words",
    "alert_words": "telephone",
    "word_mentions": "telephone",
    "phone_talk": "telephone",
    "phone_assistant": "transit line",
    "read_sentences": "read sentences",
    "ravdess": "acted emotion",
    "acted_dialogue": "game dialogue",
}
"""Of each `set` whose speakers are known."""

CUTS_S = {"clean": (0, 1, 2), "10 dB": (0,)}
"""By condition; 0 is the whole utterance."""

SNR_DB = 10
_MOST, _FEWEST = 12, 4
"""Utterances of one speaker; two, where nobody in the corpus has more."""

_SPEAKERS = 60
"""Of one corpus."""

_BATCH = 64


@dataclass(frozen=True)
class Clip:
    """One row of a manifest."""

    path: Path
    corpus: str
    speaker: str
    gender: str


def clips(data: Path, corpora: Collection[str], rng: np.random.Generator) -> list[Clip]:
    """Return up to 12 clips of each of 60 known speakers, no two of one recording."""
    found, seen = [], set()
    for name in ("speech", "emotion", "acted_dialogue"):
        for line in (data / f"{name}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            path = data / row["audio_filepath"]
            recording = re.search(r"WUWII\d+_\d+", path.name)
            key = recording[0] if recording else path.name
            if row["set"] not in CORPORA or row["speaker"] == "acted_unknown" or key in seen:
                continue
            seen.add(key)
            found.append(Clip(path, CORPORA[row["set"]], row["speaker"], row.get("gender", "")))
    rng.shuffle(found)
    kept = []
    for corpus in corpora:
        own = defaultdict(list)
        for clip in found:
            if clip.corpus == corpus:
                own[clip.speaker].append(clip)
        least = min(_FEWEST, max(map(len, own.values())))
        enough = [said for said in own.values() if len(said) >= least]
        kept += [clip for said in enough[:_SPEAKERS] for clip in said[:_MOST]]
    return kept


def noises(data: Path) -> list[NDArray[np.float32]]:
    """Return the noise of at least a second."""
    rows = map(json.loads, (data / "noise.jsonl").read_text("utf-8").splitlines())
    sounds = [_read(data / row["audio_filepath"]) for row in rows]
    return [one for one in sounds if len(one) >= SAMPLE_RATE and np.square(one).mean() > 1e-8]


def in_noise(
    wave: NDArray[np.float32], noise: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return `wave` in `noise`, its speech 10 dB over it."""
    start, end = speech_edges(wave)
    noise = np.resize(np.roll(noise, -int(rng.integers(len(noise)))), len(wave))
    speech, other = np.square(wave[start:end]).mean(), np.square(noise).mean()
    return wave + noise * np.float32(np.sqrt(speech / max(other, 1e-12) / 10 ** (SNR_DB / 10)))


def pieces(
    clip: Clip, noise: list, rng: np.random.Generator
) -> Iterator[tuple[str, int, float, NDArray[np.int16]]]:
    """Yield the pieces of `clip`, each as it is and in noise."""
    wave = _read(clip.path)
    start, end = speech_edges(wave)
    other = in_noise(wave, noise[int(rng.integers(len(noise)))], rng)
    for condition, sound in (("clean", wave), ("10 dB", other)):
        pcm = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
        for cut in CUTS_S[condition]:
            if cut == 0:
                yield condition, cut, (end - start) / SAMPLE_RATE, pcm
            elif end - start >= cut * SAMPLE_RATE:
                yield condition, cut, cut, pcm[start : start + cut * SAMPLE_RATE]


def channel(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the mean and the spread of the log-mel powers of `pcm`, `[80]`."""
    powers = np.log(mel_powers(pcm.astype(np.float32) * np.float32(1 / 32768)) + 1e-9)
    return np.concatenate([powers.mean(axis=0), powers.std(axis=0)]).astype(np.float32)


def _read(path: Path) -> NDArray[np.float32]:
    return read_clip(path).astype(np.float32) * np.float32(1 / 32768)


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("corpora", nargs=-1, metavar="[CORPUS]...")
def main(data: Path, out: Path, corpora: tuple[str, ...]) -> None:
    """Write the vectors of the known speakers in DATA to OUT, of each CORPUS or of all."""
    rng = np.random.default_rng(20)
    noise, encoder = noises(data), VoiceEncoder()
    rows: list[tuple] = []
    channels: list[NDArray[np.float32]] = []
    waiting: list[NDArray[np.float32]] = []
    owners: list[int] = []
    vectors: dict[int, list[NDArray[np.float32]]] = {}

    def run(least: int) -> None:
        while len(waiting) >= least and waiting:
            for owner, one in zip(
                owners[:_BATCH], encoder.run(np.stack(waiting[:_BATCH])), strict=True
            ):
                vectors.setdefault(owner, []).append(one)
            del waiting[:_BATCH], owners[:_BATCH]

    all_clips = clips(data, corpora or sorted(set(CORPORA.values())), rng)
    for number, clip in enumerate(all_clips):
        for condition, cut, seconds, pcm in pieces(clip, noise, rng):
            windows = windows_of(pcm)
            if windows is None:
                continue
            waiting.extend(windows)
            owners.extend([len(rows)] * len(windows))
            channels.append(channel(pcm))
            rows.append((clip.corpus, clip.speaker, clip.gender, number, condition, cut, seconds))
        run(_BATCH)
        if number % 200 == 0:
            click.echo(f"{number} of {len(all_clips)} clips", err=True)
    run(1)
    means = [mean_vector(np.stack(vectors[index])) for index in range(len(rows))]
    names = ("corpus", "speaker", "gender", "clip", "condition", "cut", "seconds")
    columns: dict[str, NDArray[Any]] = {
        name: np.array([row[at] for row in rows]) for at, name in enumerate(names)
    }
    columns |= {"vectors": np.stack(means), "channel": np.stack(channels)}
    with out.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **columns)


if __name__ == "__main__":
    sys.exit(run_command(main))
