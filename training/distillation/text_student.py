"""Teaches a compact text tower the sentence embeddings of MiniLM-L6 (as in arXiv 2004.09813)."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.progress import track
from tokenizers import Tokenizer
from torch import Tensor, nn

from models.build import start_model
from models.config import TurboConfig
from models.text.compact import WEIGHTS
from models.tower import mean_pool
from models.turbo import Turbo
from training.data.lines import read_lines
from training.data.manifest import text_key
from training.fitting.checkpoint import write_json, write_tensors
from training.fitting.finite import check_finite, gradient_norm, stopping
from turbo_stream.errors import InputError

_MINILM = TurboConfig(audio="compact", text_frozen=True, text_layers=6, vocabulary_size=30_522)
"""The teacher: all of MiniLM-L6, every English word piece of it."""

_HELD = 512


def read_lines_of_text(folder: Path) -> list[str]:
    """Return each line of text in the `*.jsonl.gz` of `folder` once, in a fixed order.

    Raises:
        InputError: there are none, or a file cannot be read.
    """
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.jsonl.gz")):
        for item in read_lines(path):
            text = str(item.get("text") or "")
            if key := text_key(text):
                found.setdefault(key, text)
    if len(found) < 2:
        raise InputError(f"{folder} has no lines of text; give *.jsonl.gz with a `text` a row")
    return list(found.values())


def _tokens(tokenizer: Tokenizer, texts: Sequence[str], device: str) -> tuple[Tensor, Tensor]:
    rows = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
    length = max(map(len, rows))
    ids = [row + [0] * (length - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (length - len(row)) for row in rows]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


class Distillation(nn.Module):
    """The student's tower, a way into the teacher's space, and the teacher."""

    def __init__(
        self, student: Turbo, tokenizer: Tokenizer, teacher: Turbo, whole: Tokenizer
    ) -> None:
        super().__init__()
        self.tower, self.tokenizer = student.text_tower, tokenizer
        self.teacher, self.whole = teacher.text_front, whole
        self.into = nn.Linear(student.config.hidden, self.teacher.width)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Return the mean of 1 - cosine between student and teacher over `texts`."""
        device = str(self.into.weight.device)
        ids, mask = _tokens(self.whole, texts, device)
        with torch.no_grad():
            nothing = self.into.weight.new_zeros(self.teacher.width)
            goal = mean_pool(self.teacher(ids, mask), mask.float(), nothing).pooled
        given = self.into(self.tower(*_tokens(self.tokenizer, texts, device)).pooled)
        return (1.0 - F.cosine_similarity(given, goal, dim=1)).mean()

    @torch.inference_mode()
    def measure(self, texts: Sequence[str]) -> float:
        """Return the loss on `texts` without dropout."""
        self.eval()
        parts = [texts[start : start + 64] for start in range(0, len(texts), 64)]
        return sum(self(part).item() * len(part) for part in parts) / len(texts)


def distill(
    config: TurboConfig,
    texts: list[str],
    out: Path,
    *,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
) -> dict:
    """Teach a compact tower of `config` and write it to `out`; return the figures.

    Raises:
        ModelError: MiniLM is not on this machine.
        NotFiniteError: loss or gradient is NaN or infinite; nothing is written.
    """
    started = time.monotonic()
    torch.manual_seed(seed)
    order = random.Random(seed)
    order.shuffle(texts)
    held, texts = texts[: min(_HELD, len(texts) // 5 + 1)], texts[min(_HELD, len(texts) // 5 + 1) :]
    config, student, tokenizer = start_model(config, texts)
    _, teacher, whole = start_model(_MINILM, [])
    model = Distillation(student, tokenizer, teacher, whole)
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    before = model.measure(held)
    trained = [*model.tower.parameters(), *model.into.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=max(2, steps), pct_start=0.1
    )
    for step in track(range(1, steps + 1), "distilling"):
        model.train()
        loss = model(order.sample(texts, min(batch, len(texts))))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        with stopping(f"step {step}"):
            check_finite({"loss": loss, "gradient_norm": gradient_norm(trained)})
        optimizer.step()
        schedule.step()
    metrics: dict[str, float] = {"lines": len(texts), "steps": steps, "batch": batch, "seed": seed}
    with stopping("the look at the lines held out"):
        check_finite(dict(model.tower.named_parameters()))
        after = model.measure(held)
        check_finite({"loss": after})
    metrics |= {"held_lines": len(held), "loss_before": before, "loss": after}
    metrics |= {"seconds": round(time.monotonic() - started, 1)}

    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    write_tensors(out / WEIGHTS, model.tower.state_dict())
    write_json(out / "config.json", {"model": asdict(config)})
    write_json(out / "metrics.json", metrics)
    return metrics
