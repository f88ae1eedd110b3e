"""Clips, a manifest and a network to start from, all small enough to train in a moment."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from models.turbo import Turbo
from training.fitting.checkpoint import save_setup, save_weights
from training.fitting.recipe import Recipe

WORDS = ["turn", "stop", "light", "yes", "was", "he", "late", "and", "so", "well", "then", "me"]


def word_tokenizer(words: list[str]) -> Tokenizer:
    """Return a tokenizer that knows these whole words."""
    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]
    table = {word: index for index, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordPiece(table, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def write_start(folder: Path, model: Turbo) -> Path:
    """Write a checkpoint of `model` with a tokenizer of `WORDS`; return its folder."""
    save_setup(folder, Recipe(model=model.config), word_tokenizer(WORDS))
    save_weights(folder, model)
    return folder


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def write_tone(path: Path, pitch_hz: float, *, seconds: float = 0.4) -> None:
    """Write a tone of that pitch in some noise, 16 kHz."""
    time = np.arange(int(seconds * 16_000)) / 16_000
    noise = np.random.default_rng(int(pitch_hz)).normal(0.0, 0.02, len(time))
    soundfile.write(path, 0.2 * np.sin(2 * np.pi * pitch_hz * time) + noise, 16_000)


def write_classes(folder: Path, labels: list[str], *, speakers: int, each: int) -> Path:
    """Write `each` clips a class and speaker, classes told apart by pitch and words."""
    rows = []
    for speaker in range(speakers):
        for index, label in enumerate(labels):
            for take in range(each):
                name = f"{speaker}_{label}_{take}.wav"
                write_tone(folder / name, 200.0 + 400.0 * index + 10.0 * speaker + take)
                said = WORDS[3 * index : 3 * index + 3]
                row = {"audio_filepath": name, "label": label, "speaker": f"s{speaker}"}
                rows.append({**row, "text": " ".join(said[take % 2 :])})
    return write_lines(folder / "manifest.jsonl", rows)
