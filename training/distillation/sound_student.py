"""Teaches an audio tower at half the rate what the whole Whisper encoder makes of the same sound.

The last layers of Whisper hold the words; at 50 frames a second they cost more than a small device
should spend. The student runs its upper layers on averaged pairs of frames and learns to give the
teacher's final states, averaged alike (as the hidden states in arXiv 2110.01900).
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from models.build import start_model
from models.config import TurboConfig
from models.hugging_face import PREFIX
from models.pretrained import TAUGHT, TAUGHT_PARTS
from models.turbo import Turbo
from training.data.augment import AugmentConfig, Surroundings
from training.data.clip import Clip
from training.data.features import FeatureStore, front_digest
from training.fitting.checkpoint import write_json, write_tensors
from training.fitting.distributed import pick_device
from training.fitting.finite import check_finite, stopping
from turbo_stream.evaluation.corpus.held_out import stable_share

Item = tuple[Clip, int]
"""A clip and the random channel it is heard through."""

_HELD_SHARE = 0.05


@dataclass(frozen=True)
class Course:
    """How the student is taught."""

    steps: int = 1500
    """Optimizer steps."""

    batch: int = 32
    """Clips a step."""

    rate: float = 4e-4
    """Peak learning rate."""

    variants: int = 1
    """Random channels a clip is heard through."""

    seed: int = 0
    """Seed of everything random."""

    bf16: bool = False
    """Compute in bfloat16 where the processor is faster so."""


class Lesson:
    """Frames for the student and states of the teacher, over the same sounds."""

    def __init__(
        self, student: Turbo, teacher: Turbo, folder: Path, surroundings: Surroundings
    ) -> None:
        self.student, self.teacher = student, teacher
        config = AugmentConfig()
        self.given, self.goals = (
            FeatureStore(folder, front_digest(model.audio_front), config, surroundings)
            for model in (student, teacher)
        )

    def fill(self, items: Sequence[Item]) -> None:
        """Compute what is missing."""
        self.given.fill(self.student.eval(), items)
        self.goals.fill(self.teacher.eval(), items)

    def batch(self, items: Sequence[Item]) -> tuple[Tensor, Tensor, Tensor]:
        """Return frames `[B, N, F]`, goals `[B, N, F]` and their mask `[B, N]`."""
        device = next(self.student.parameters()).device
        pairs = [(self.given.load(*item), self.goals.load(*item)) for item in items]
        longest = max(len(frames) for frames, _ in pairs)
        width = self.student.audio_front.width
        frames, goals = torch.zeros(2, len(items), longest, width).unbind()
        mask = torch.zeros(len(items), longest)
        for index, (given, goal) in enumerate(pairs):
            frames[index, : len(given)] = torch.from_numpy(given.astype(np.float32))
            goals[index, : len(goal)] = torch.from_numpy(goal.astype(np.float32))
            mask[index, : len(given)] = 1.0
        return frames.to(device), goals.to(device), mask.to(device)

    def residual(self, frames: Tensor, goals: Tensor, mask: Tensor) -> Tensor:
        """Return the mean squared error a dimension over the frames that `mask` shows."""
        states = self.student.audio_tower(frames, mask).states
        error = (states.float() - goals).square().mean(dim=2)
        return (error * mask).sum() / mask.sum()

    @torch.inference_mode()
    def unexplained(self, items: Sequence[Item]) -> float:
        """Return the share of the goals' variance that the student does not give: 0 is perfect."""
        self.student.eval()
        error = power = count = 0.0
        total: Any = 0.0
        for start in range(0, len(items), 32):
            frames, goals, mask = self.batch(items[start : start + 32])
            shown = goals[mask.bool()].double()
            error += self.residual(frames, goals, mask).item() * shown.numel()
            power += shown.square().sum().item()
            total = total + shown.sum(dim=0)
            count += len(shown)
        variance = power - float((total.square() / count).sum())
        return error / variance


def _batches(lesson: Lesson, items: list[Item], course: Course) -> Iterator[list[Item]]:
    """Yield batches of clips of like length, for ever."""
    order = random.Random(course.seed)
    while True:
        pool = order.choices(items, k=course.batch * 8)
        pool.sort(key=lambda item: len(lesson.given.load(*item)))
        parts = [pool[start : start + course.batch] for start in range(0, len(pool), course.batch)]
        order.shuffle(parts)
        yield from parts


def distill_sound(
    whisper: Path,
    clips: Sequence[Clip],
    out: Path,
    *,
    lower: int,
    upper: int,
    features: Path,
    surroundings: Surroundings,
    course: Course,
) -> dict:
    """Teach `upper` layers at 25 frames a second over `lower` ones at 50; return the figures.

    `out` is then a folder that `model.audio_init` reads.

    Raises:
        ModelError: `whisper` is no folder with a Whisper-tiny.
        InputError: a clip cannot be read.
        NotFiniteError: loss, gradient or figure is NaN or infinite; nothing is written.
    """
    started = time.monotonic()
    torch.manual_seed(course.seed)
    silent = TurboConfig(text="compact", vocabulary_size=400, dropout=0.0)
    config = replace(
        silent, audio_init=str(whisper), audio_lower_layers=lower, audio_upper_layers=upper
    )
    config, student, _ = start_model(config, [])
    whole = replace(silent, audio=f"{PREFIX}{whisper}", audio_frozen=True, audio_pool=2)
    _, teacher, _ = start_model(whole, [])
    device = pick_device("auto")
    lesson = Lesson(student.to(device), teacher.to(device), features, surroundings)
    variants = range(course.variants)
    taught = [clip for clip in clips if stable_share(clip.path.name) >= _HELD_SHARE]
    held = [(clip, 0) for clip in clips if stable_share(clip.path.name) < _HELD_SHARE]
    items = [(clip, variant) for clip in taught for variant in variants]
    lesson.fill([*items, *held])
    before = lesson.unexplained(held)

    tower: Any = student.audio_tower
    optimizer = torch.optim.AdamW(tower.pretrained(), lr=course.rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, course.rate, total_steps=max(2, course.steps), pct_start=0.1
    )
    batches = _batches(lesson, items, course)
    for step in track(range(1, course.steps + 1), "distilling"):
        student.train()
        frames, goals, mask = lesson.batch(next(batches))
        with torch.autocast(device.type, torch.bfloat16, enabled=course.bf16):
            loss = lesson.residual(frames, goals, mask)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(tower.pretrained(), 1.0)
        with stopping(f"step {step}"):
            check_finite({"loss": loss, "gradient_norm": norm})
        optimizer.step()
        schedule.step()
    metrics = {"clips": len(clips), "held_clips": len(held), **asdict(course)}
    with stopping("the look at the clips held out"):
        check_finite(dict(tower.named_parameters()))
        after = lesson.unexplained(held)
        check_finite({"unexplained": after})
    metrics |= {"unexplained_before": before, "unexplained": after}
    metrics |= {"seconds": round(time.monotonic() - started, 1)}

    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value for name, value in student.state_dict().items() if name.startswith(TAUGHT_PARTS)
    }
    write_tensors(out / TAUGHT, weights)
    write_json(out / "config.json", {"model": asdict(config)})
    write_json(out / "metrics.json", metrics)
    return metrics
