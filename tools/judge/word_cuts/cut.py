"""One word, cut out and laid on noise, the same way whatever it was cut from."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.judge.word_cuts.alignment import Span
from training.data.augment import coloured_noise
from training.data.clip import Wave

Row = dict[str, Any]

_HOP = 160


@dataclass(frozen=True)
class CutConfig:
    """What every cut has alike."""

    sample_rate: int = 16_000
    """Hertz."""

    margin_ms: float = 250.0
    """Noise before and after the word."""

    snr_db: float = 15.0
    """Level of the word over the noise that everything is laid on."""

    level_db: float = -26.0
    """Root mean square of the word, decibels under full scale."""

    edge_db: float = 25.0
    """What is this far below the loudest part of the word, at its ends, is no part of it."""

    fade_ms: float = 8.0
    """Rise and fall at the ends of the word."""

    shortest_ms: float = 200.0
    """A shorter word was not found rightly."""

    own_snr_db: float = 18.0
    """A word whose own noise is nearer than this is left out: its noise would be heard."""


def cut_word(wave: Wave, span: Span, seed: int, config: CutConfig) -> NDArray[np.int16]:
    """Return the word at `span` of `wave`, `[T]` in [-1, 1], on noise: `[N]` int16.

    Level, signal-to-noise ratio and margins are those of `config`, whatever the recording had;
    only the colour of the noise is drawn, by `seed`.
    """
    rng = np.random.default_rng(seed)
    word = wave[span.start : span.end].astype(np.float64)
    word -= word.mean()
    word *= 10.0 ** (config.level_db / 20.0) / np.sqrt(np.square(word).mean() + 1e-12)
    fade = min(int(config.fade_ms * config.sample_rate / 1000), len(word) // 2)
    ramp = np.sin(np.linspace(0.0, np.pi / 2, fade)) ** 2
    word[:fade] *= ramp
    word[len(word) - fade :] *= ramp[::-1]
    margin = int(config.margin_ms * config.sample_rate / 1000)
    total = margin + len(word) + margin
    noise = coloured_noise(rng, total).astype(np.float64)
    mixed = noise * 10.0 ** ((config.level_db - config.snr_db) / 20.0)
    mixed[margin : margin + len(word)] += word
    return np.clip(np.rint(mixed * 32_768.0), -32_768, 32_767).astype(np.int16)


def tightened(wave: Wave, span: Span, config: CutConfig) -> Span | None:
    """Return `span` without the quiet at its ends; None where too little is left.

    Forced alignment gives pauses and decaying noise to the word beside them; how much, depends
    on what stands there, which differs between a word alone and one in a sentence.
    """
    level = levels_db(wave[span.start : span.end])
    if not len(level):
        return None
    loud = np.flatnonzero(level > np.percentile(level, 97) - config.edge_db)
    start = span.start + int(loud[0]) * _HOP
    end = span.start + (int(loud[-1]) + 1) * _HOP
    long_enough = (end - start) * 1000 >= config.shortest_ms * config.sample_rate
    return Span(start, end) if long_enough else None


def own_snr_db(wave: Wave, span: Span) -> float:
    """Return the level of the word over the quietest tenth of its recording, in decibels.

    Digital silence is not counted: it says nothing of the noise under the word.
    """
    level = levels_db(wave)
    real = level[level > -100.0]
    floor = np.percentile(real, 10) if len(real) else -100.0
    word = np.square(wave[span.start : span.end], dtype=np.float64).mean()
    return float(10.0 * np.log10(word + 1e-12) - floor)


def levels_db(wave: Wave) -> NDArray[np.float64]:
    """Return the level of every 10 ms of `wave` at 16 kHz, smoothed over 30 ms, `[N]`."""
    power = np.square(wave[: len(wave) // _HOP * _HOP].reshape(-1, _HOP), dtype=np.float64)
    smooth = np.convolve(power.mean(axis=1), np.ones(3) / 3, mode="same")
    return 10.0 * np.log10(smooth + 1e-12)


def mark_shared(rows: Sequence[Row]) -> None:
    """Set `shared` on every row: whether its group has cuts of both labels."""
    labels = defaultdict(set)
    for row in rows:
        labels[row["group"]].add(row["label"])
    for row in rows:
        row["shared"] = len(labels[row["group"]]) > 1


def mark_folds(rows: Sequence[Row], test_share: float, seed: int) -> None:
    """Set `fold` to `test` on a share of the shared groups, to `train` on all others."""
    groups = sorted({str(row["group"]) for row in rows if row["shared"]}, key=_order(seed))
    held = set(groups[: round(test_share * len(groups))])
    for row in rows:
        row["fold"] = "test" if str(row["group"]) in held else "train"


def mark_matched(rows: Sequence[Row], seed: int) -> None:
    """Set `matched` so that in each fold every word has as many shared rows of each label.

    Otherwise the word itself would say something: some are called more often than mentioned.
    """
    cells: dict[tuple, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        row["matched"] = False
        if row["shared"]:
            cells[row["fold"], row["text"]][row["label"]].append(row)
    draw = random.Random(seed)
    for cell in sorted(cells):
        classes = cells[cell]
        if len(classes) < 2:
            continue
        fewest = min(map(len, classes.values()))
        for label in sorted(classes):
            for row in draw.sample(classes[label], fewest):
                row["matched"] = True


def _order(seed: int) -> Callable[[str], str]:
    def order(group: str) -> str:
        return hashlib.sha256(f"{seed}/{group}".encode("utf-8", "surrogatepass")).hexdigest()

    return order
