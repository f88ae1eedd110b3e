"""Utterances that graphs are compared on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from models.turbo import Turbo
from tools.export.parity.item import Item
from tools.export.parity.logits import states_width
from training.data.batch import encode
from training.data.clip import Wave, read_wave
from training.data.features import Sound
from training.data.hypotheses import read_hypotheses
from training.data.manifest import read_manifest
from training.data.row import Row
from turbo_stream.detection.speech_part import speech_part

_SAMPLES_PER_STATE = 320

CALIBRATION_CLIPS = 64
"""Clips that activation ranges are taken from; none of them is compared on."""


@dataclass(frozen=True)
class Sets:
    """What a graph is calibrated on, and what graphs are compared on: no clip is in both."""

    calibration: list[Item]
    test: list[Item]
    recorded: bool
    """False for made-up sound, which has no classes."""


def synthetic_items(model: Turbo, count: int = 24, seed: int = 0) -> list[Item]:
    """Return made-up utterances of 0.3 to 8 s: bursts of coloured noise and random tokens.

    For a network that reads a recognizer's states, noise in their place.
    """
    width = states_width(model)
    rng = np.random.default_rng(seed)
    rate = model.config.sample_rate
    items = []
    for index in range(count):
        samples = int(rng.uniform(0.3, 8.0) * rate)
        noise = np.convolve(rng.standard_normal(samples), np.ones(1 + index % 7), mode="same")
        envelope = np.abs(np.sin(np.arange(samples) * rng.uniform(2.0, 6.0) * np.pi / rate))
        length = int(rng.integers(2, 16))
        ids = rng.integers(4, model.config.vocabulary_size, length).tolist()
        mask = [int(index % 6 != 0)] * length
        wave = (noise * envelope * 10.0 ** rng.uniform(-3.0, -1.0)).astype(np.float32)
        confidence = (float(-rng.uniform(0.0, 3.0)), 0.0, 1.0, float(index % 2))
        if width:
            wave = rng.standard_normal((-(-samples // _SAMPLES_PER_STATE), width), np.float32)
        items.append(Item(wave, ids, mask, confidence))
    return items


def synthetic_sets(model: Turbo) -> Sets:
    """Return made-up utterances for both purposes."""
    return Sets(synthetic_items(model, seed=1), synthetic_items(model), recorded=False)


def _spread(rows: Sequence[Row], count: int) -> list[int]:
    """Return `count` places spread evenly over `rows`, or all of them."""
    return np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)).tolist()


def recorded_sets(
    model: Turbo,
    tokenizer: Tokenizer,
    manifest: Path,
    hypotheses: tuple[Path, ...],
    count: int | None = None,
    states: Callable[[Wave], Sound] | None = None,
) -> Sets:
    """Return the recordings of a manifest, with the text a device would have.

    Where the manifest names a `test` fold, that is what graphs are compared on and the rest is for
    calibration; otherwise clips spread over the manifest are set aside for it. `count` limits the
    test items, spread evenly; None takes all. `states` makes of a wave what the network reads of
    it, where that is a recognizer's states.
    """
    rows = read_manifest(manifest, model.config.labels, read_hypotheses(hypotheses))
    tested = [row for row in rows if row.fold == "test"]
    if tested and len(tested) < len(rows):
        other = [row for row in rows if row.fold != "test"]
        aside = [other[place] for place in _spread(other, CALIBRATION_CLIPS)]
    else:
        places = _spread(rows, min(CALIBRATION_CLIPS, len(rows) // 4))
        aside = [rows[place] for place in places]
        tested = [row for place, row in enumerate(rows) if place not in set(places)]
    if count is not None:
        tested = [tested[place] for place in _spread(tested, count)]

    def items(chosen: Sequence[Row]) -> list[Item]:
        return [recorded_item(model, tokenizer, row, states) for row in chosen]

    return Sets(items(aside), items(tested), recorded=True)


def recorded_item(
    model: Turbo,
    tokenizer: Tokenizer,
    row: Row,
    states: Callable[[Wave], Sound] | None = None,
) -> Item:
    """Return a recording as a device without a name meets it.

    A name that only one class has would tell the class; `states` is as for `recorded_sets`.
    """
    wave = read_wave(row.clip)
    text, confidence = row.words("auto")
    ids, mask = encode(tokenizer, text, row.before, model.config.max_tokens)
    wave = wave[-model.config.max_samples :]
    if states is None and model.config.cut_to_speech:
        wave = speech_part(wave)
    wave = np.ascontiguousarray(wave)
    sound = wave if states is None else np.array(states(wave))
    return Item(sound, ids, mask, confidence, row.label, row.group)
