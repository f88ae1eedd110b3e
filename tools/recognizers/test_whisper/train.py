"""Trains the real, very small Whisper that the tests load, on what the shipped scene says."""

import contextlib
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from rich.progress import Progress, TextColumn
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from tools.recognizers.test_whisper.network import TestWhisper, train_tokenizer
from tools.recognizers.test_whisper.sounds import Sounds, render, sentences
from tools.recognizers.whisper_folder import write_whisper_folder

WINDOW_S = 6
"""The longest sound the model can take at once."""

VOCABULARY = 480
SPEECH_ROWS, SILENT_ROWS = 2000, 200
"""Sounds drawn once before training; each is used some ten times, masked anew."""

BATCH = 16
NO_SPEECH = 2
"""Rows of a batch that hold no speech."""

FULL_WINDOW = 0.1
"""Share of batches padded to the whole window, as the recognizer does by default."""

CTC_WEIGHT = 0.5
PEAK_RATE = 3e-3
WARM_UP = 100

Row = tuple[np.ndarray, list[int]]
"""Log-mel `[80, T]` float32, and the tokens of the text."""


class Batches:
    """Draws batches: log-mel, the decoder's input, what it must answer, and CTC targets."""

    def __init__(self, speech: list[Row], silent: list[Row], tokenizer: Tokenizer, seed: int):
        self._speech = sorted(speech, key=lambda row: row[0].shape[1])
        self._silent = silent
        self._rng = np.random.default_rng(seed)
        names = ("startoftranscript", "notimestamps", "nospeech", "endoftext")
        ids: list[Any] = [tokenizer.token_to_id(f"<|{name}|>") for name in names]
        self._prompt, self._no_speech, self._end = ids[:2], ids[2], ids[3]

    def draw(self) -> tuple[Tensor, Tensor, Tensor, list[list[int]]]:
        """Return features `[B, 80, T]`, tokens and answers `[B, L]`, and text tokens by row.

        Rows of like length, as that is cheap; the window is a little more than they need.
        """
        spoken = BATCH - NO_SPEECH
        start = self._rng.integers(len(self._speech) - 4 * spoken)
        picked = start + self._rng.choice(4 * spoken, spoken, replace=False)
        rows = [self._speech[i] for i in picked]
        rows += [self._silent[i] for i in self._rng.integers(len(self._silent), size=NO_SPEECH)]
        longest = max(mel.shape[1] for mel, _ in rows)
        frames = min(longest + int(self._rng.integers(60)), WINDOW_S * 100)
        if self._rng.random() < FULL_WINDOW:
            frames = WINDOW_S * 100
        frames -= frames % 2
        features = torch.from_numpy(np.stack([padded(mel, frames) for mel, _ in rows]))
        texts = [tokens for _, tokens in rows]
        width = max(map(len, texts)) + 2
        tokens = torch.full((BATCH, width), self._end)
        answers = torch.full((BATCH, width), -100)
        for row, text in enumerate(texts):
            tokens[row, : len(text) + 2] = torch.tensor(self._prompt + text)
            right = [self._prompt[1] if text else self._no_speech, *text, self._end]
            answers[row, : len(right)] = torch.tensor(right)
        return features, tokens, answers, texts


def padded(mel: np.ndarray, frames: int) -> np.ndarray:
    """Return log-mel `[80, T]` as if digital silence had followed the sound, `[80, frames]`.

    Whisper's log-mel clips at 8 decades below the loudest, and its logarithm at 1e-10.
    """
    silence = max(float(mel.max()) - 2.0, -1.5)
    return np.pad(mel, ((0, 0), (0, max(0, frames - mel.shape[1]))), constant_values=silence)[
        :, :frames
    ]


def loss_of(model: TestWhisper, batch: tuple[Tensor, Tensor, Tensor, list[list[int]]]) -> Tensor:
    """Return cross-entropy of the answers plus the weighted CTC term."""
    features, tokens, answers, texts = batch
    if model.training:
        features = masked(features)
    logits, aligned = model(features, tokens)
    spoken = functional.cross_entropy(
        logits.flatten(0, 1), answers.flatten(), ignore_index=-100, label_smoothing=0.05
    )
    targets = torch.tensor([token for text in texts for token in text])
    frames = torch.full((len(texts),), aligned.shape[0])
    lengths = torch.tensor([len(text) for text in texts])
    blank = aligned.shape[-1] - 1
    heard = functional.ctc_loss(
        aligned, targets, frames, lengths, blank=blank, reduction="sum", zero_infinity=True
    )
    return spoken + CTC_WEIGHT * heard / len(targets)


def masked(features: Tensor) -> Tensor:
    """Return `[B, 80, T]` with one short stretch and one band of each row blanked (SpecAugment)."""
    features = features.clone()
    for row in features:
        start = int(torch.randint(row.shape[1], ()))
        row[:, start : start + int(torch.randint(20, ()))] = row.min()
        band = int(torch.randint(row.shape[0], ()))
        row[band : band + int(torch.randint(10, ()))] = row.min()
    return features


def train_test_whisper(out: Path, *, minutes: float, seed: int, threads: int) -> str:
    """Train for `minutes`, or until Ctrl-C; write a CTranslate2 folder to `out`."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    texts = sentences()
    tokenizer = train_tokenizer(texts, VOCABULARY)
    model = TestWhisper(tokenizer, WINDOW_S)
    extract = FeatureExtractor()

    def row(sound: np.ndarray, text: str) -> Row:
        mel = extract(sound.astype(np.float32), padding=0).astype(np.float32)
        return mel, tokenizer.encode(f" {text}").ids if text else []

    with Progress(*Progress.get_default_columns(), TextColumn("{task.fields[note]}")) as progress:
        task = progress.add_task("rendering", total=len(texts), note="")
        sounds = Sounds(render(texts, lambda: progress.advance(task)), seed)
        task = progress.add_task("drawing", total=SPEECH_ROWS, note="")
        drawn = progress.track(range(SPEECH_ROWS), task_id=task)
        speech = [row(*sounds.speech(WINDOW_S)) for _ in drawn]
        silent = [row(*sounds.no_speech(2.0)) for _ in range(SILENT_ROWS)]
        summary = train(model, Batches(speech, silent, tokenizer, seed), minutes, progress)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whisper_folder(model.whisper.eval(), tokenizer, WINDOW_S, out)
    size = sum(path.stat().st_size for path in out.iterdir())
    return f"{out}: {size / 1e6:.2f} MB after {summary}"


def train(model: TestWhisper, batches: Batches, minutes: float, progress: Progress) -> str:
    """Train `model` in place until the time is up or Ctrl-C; return steps and loss in words."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, weight_decay=0.01)
    task = progress.add_task("training", total=minutes * 60, note="")
    start, step, smooth = time.monotonic(), 0, math.nan
    note = "no step"
    with contextlib.suppress(KeyboardInterrupt):
        while (spent := time.monotonic() - start) < minutes * 60:
            step += 1
            fade = 0.5 * (1 + math.cos(math.pi * min(1.0, spent / (minutes * 60))))
            for group in optimizer.param_groups:
                group["lr"] = PEAK_RATE * min(1.0, step / WARM_UP) * (0.02 + 0.98 * fade)
            loss = loss_of(model, batches.draw())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            smooth = loss.item() if math.isnan(smooth) else 0.97 * smooth + 0.03 * loss.item()
            note = f"step {step} loss {smooth:.3f}"
            progress.update(task, completed=spent, note=note)
            if step % 50 == 0:
                progress.console.print(f"{spent / 60:.1f} min: {note}")
    return note
