"""The optimization: steps, looks at the development set, the best weights kept."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.turbo import Turbo
from training.data.batch import Batch
from training.fitting.checkpoint import Identity, Position, load_state, save_state, save_weights
from training.fitting.config import TrainConfig
from training.fitting.display import RunDisplay
from training.fitting.distributed import Rank
from training.fitting.finite import check_finite, stopping
from training.fitting.scalars import Scalars
from training.objective.config import ObjectiveConfig
from training.objective.grad_cache import Gradients, RandomState
from training.objective.objective import ViewsModel, geometry
from training.objective.part_gradients import part_gradients

_LOG_EVERY = 10
"""Steps between points of a curve, and between the losses that the progress bar shows."""


@dataclass
class History:
    """What happened on the way."""

    best_step: int = 0
    best: float = math.inf
    waited: int = 0
    """Looks since the best."""

    steps: int = 0
    seconds: float = 0.0
    """Of all steps, without the looks."""

    looks: list[dict[str, float]] = field(default_factory=list)


def fit(
    model: Turbo,
    objective: ObjectiveConfig,
    batches: Iterator[Batch],
    evaluate: Callable[[], dict[str, float]],
    train: TrainConfig,
    folder: Path | None,
    *,
    position: Position | None = None,
    identity: Identity | None = None,
    rank: Rank | None = None,
    quiet: bool = False,
) -> History:
    """Train `model` in place; it ends with the weights of the lowest `dev` of `evaluate`.

    They are written to `folder` as `best.safetensors` in the end, and with checkpoints whenever
    there are better ones; None writes nothing. `evaluate` is called every `evaluate_every` steps,
    on the first rank alone, and must leave the weights as they are.

    With `position`, what `batches` draws from, there are checkpoints, and a run that was
    interrupted goes on as if it had not been; `identity` says which run it is. `quiet` shows no
    progress: the caller has many runs to show.

    Raises:
        InputError: a field of `train` or `objective` cannot be, or `folder` holds the checkpoint
            of another run.
        NotFiniteError: a loss, a gradient, a weight or `dev` is NaN or infinite. What was written
            before is left as it is.
    """
    rank = rank or Rank(0, 1, next(model.parameters()).device)
    run = _Run(model, objective, train, rank)
    target = folder if rank.first else None
    curves = folder / "tensorboard" if folder is not None and train.tensorboard else None
    scalars = Scalars(curves if rank.first else None)
    saved = position if folder is not None and train.checkpoint_every > 0 else None
    identity = {**(identity or {}), "ranks": rank.count}
    if folder is not None and saved is not None and train.resume:
        state = load_state(folder, identity)
        scalars.means = None if state is None else run.restore(state, saved)
    history = run.history
    wrapped = rank.wrap(run.views_model)
    gradients = Gradients(wrapped, objective, chunk=train.chunk, bf16=train.bf16)
    with RunDisplay(quiet=quiet or not rank.first) as progress:
        task = progress.add_task("training", total=train.steps, completed=history.steps)
        clock = _Clock(history)
        while history.steps < train.steps and history.waited < train.patience:
            batch, report = run.step(gradients, batches)
            scalars.add(report)
            step = history.steps = history.steps + 1
            progress.update(task, advance=1)
            if step % _LOG_EVERY == 0:
                means = scalars.read()
                progress.update(task, description=f"loss {means['loss']:.3f}")
                rates = {group["name"]: group["lr"] for group in run.optimizer.param_groups}
                scalars.write(step, "train", means)
                scalars.write(step, "rate", rates)
            if step % train.evaluate_every == 0 or step == train.steps:
                clock.stop()
                look: dict[str, float] | None = None
                if rank.first:
                    shape = run.shape_of_space(batch)
                    temperature = 1.0 / run.views_model.scale.item()
                    with stopping(f"the look after step {step}"):
                        check_finite(dict(model.named_parameters()))
                        found = evaluate()
                        check_finite({"dev": found["dev"]})
                    look = {**scalars.read(), "temperature": temperature, **shape, **found}
                    look = {name: float(value) for name, value in look.items()}
                    scalars.write(step, "look", look)
                look = {"step": step, **rank.shared(look)}
                history.looks.append(look)
                history.waited += 1
                better = look["dev"] < history.best
                progress.look(look, best=better)
                if better:
                    history.best, history.best_step, history.waited = look["dev"], step, 0
                    run.best = run.trained()
                    if target is not None and saved is not None:
                        save_weights(target, model)
                clock.start()
            if saved is not None and (step % train.checkpoint_every == 0 or step == train.steps):
                clock.stop()
                state = run.state(saved, scalars.means)
                if target is not None:
                    save_state(target, identity, state)
                clock.start()
        clock.stop()
    scalars.close()
    run.take_best()
    if target is not None:
        save_weights(target, model)
    return history


def optimizer_of(
    views_model: ViewsModel, train: TrainConfig
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    """Return AdamW over the trained parameters and the schedule of its rates."""
    groups = parameter_groups(views_model, train)
    optimizer = torch.optim.AdamW(groups, weight_decay=train.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_peak(step, train))
    return optimizer, schedule


def share_of_peak(step: int, train: TrainConfig) -> float:
    """Return the rate of `step` (from 0) over its peak: linear warm-up, then a cosine to zero."""
    if step < train.warmup:
        return (step + 1) / train.warmup
    done = (step - train.warmup) / max(1, train.steps - train.warmup)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


def parameter_groups(views_model: ViewsModel, train: TrainConfig) -> list[dict]:
    """Give each tower's pretrained layers and the heads their rates; the fronts are frozen."""
    groups = views_model.model.parameter_groups()
    return [
        {"name": "text", "params": groups["text"], "lr": train.learning_rate},
        {"name": "audio", "params": groups["audio"], "lr": train.audio_rate},
        {"name": "head", "params": groups["head"], "lr": train.head_rate},
        {
            "name": "temperature",
            "params": [views_model.log_scale],
            "lr": train.temperature_rate,
            "weight_decay": 0.0,
        },
    ]


class _Clock:
    """Adds the time of steps to a history: not that of looks and checkpoints."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.start()

    def start(self) -> None:
        self.since = time.monotonic()

    def stop(self) -> None:
        self.history.seconds += time.monotonic() - self.since
        self.since = time.monotonic()


class _Run:
    """The state of a run: everything that a step changes."""

    def __init__(
        self, model: Turbo, objective: ObjectiveConfig, train: TrainConfig, rank: Rank
    ) -> None:
        train.check()
        self.train, self.rank = train, rank
        self.views_model = ViewsModel(model, objective).to(rank.device)
        self.optimizer, self.schedule = optimizer_of(self.views_model, train)
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.history = History()
        self.best: dict[str, Tensor] = {}
        self.objective = objective
        if rank.count > 1:
            torch.manual_seed(rank.seed(torch.initial_seed()))
        if train.compile:
            for part in (model.audio_tower, model.text_tower, model.fusion):
                part.compile(dynamic=True)

    def trained(self) -> dict[str, Tensor]:
        """Return a copy of everything but the frozen fronts."""
        return {
            name: value.detach().cpu().clone()
            for name, value in self.views_model.state_dict().items()
            if not name.startswith(("model.audio_front.", "model.text_front."))
        }

    def take_best(self) -> None:
        """Bring the best weights back."""
        self.views_model.load_state_dict(self.best, strict=False)

    def state(self, position: Position, means: Tensor | None) -> dict[str, Any]:
        """Return all of it; `position` and random state of every rank."""
        random = RandomState.now(self.rank.device)
        mine = {"cpu": random.cpu, "cuda": random.cuda, "position": position.state()}
        return {
            "history": asdict(self.history),
            "weights": self.trained(),
            "best": self.best,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "means": means,
            "ranks": self.rank.collected(mine),
        }

    def restore(self, state: dict[str, Any], position: Position) -> Tensor | None:
        """Go on from `state`; return the running means."""
        self.history = History(**state["history"])
        self.views_model.load_state_dict(state["weights"], strict=False)
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        mine = state["ranks"][self.rank.index]
        RandomState(mine["cpu"], mine["cuda"]).replay(self.rank.device)
        position.restore(mine["position"])
        return None if state["means"] is None else state["means"].to(self.rank.device)

    def step(self, gradients: Gradients, batches: Iterator[Batch]) -> tuple[Batch, dict]:
        """Take one optimizer step; return the last batch and what there is to report."""
        self.views_model.train()
        drawn = [next(batches) for _ in range(self.train.accumulate)]
        for batch in drawn:
            if self.rank.count > 1 and len(batch.labels) != self.train.batch:
                raise ValueError(
                    f"a batch has {len(batch.labels)} rows and train.batch={self.train.batch}: "
                    "ranks gather equally many"
                )
        report = part_gradients(gradients, drawn, self.parameters, self.train.clip)
        with stopping(f"step {self.history.steps + 1}"):
            check_finite(report)
        self.optimizer.step()
        self.schedule.step()
        self.views_model.confine()
        return drawn[-1], report

    def shape_of_space(self, batch: Batch) -> dict[str, float]:
        """Return alignment and uniformity on `batch`, leaving the random state as it is."""
        device = self.rank.device
        self.views_model.train()
        with (
            torch.random.fork_rng([device] if device.type == "cuda" else []),
            torch.autocast(device.type, torch.bfloat16, enabled=self.train.bf16),
        ):
            measured = geometry(self.views_model, batch)
        return {name: value.item() for name, value in measured.items()}
