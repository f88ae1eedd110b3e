"""One setting out of the space that every arm is tuned in."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from training.fitting.recipe import Recipe

SPACE: dict[str, tuple[float, float]] = {
    "rate": (0.3, 3.0),
    "dropout": (0.05, 0.4),
    "in_modal": (0.003, 0.3),
    "cross_modal": (0.1, 3.0),
    "r_drop": (0.1, 5.0),
    "sup_con": (0.01, 1.0),
    "temperature": (0.03, 0.3),
}
"""Drawn uniformly in their logarithm; `rate` is a factor of all learning rates. An arm uses the
weights of its own terms only, so that plain cross-entropy is tuned in rate and dropout."""


@dataclass(frozen=True)
class Trial:
    """Values of `SPACE`; the fields that are None stay as the recipe has them."""

    rate: float | None = None
    dropout: float | None = None
    in_modal: float | None = None
    cross_modal: float | None = None
    r_drop: float | None = None
    sup_con: float | None = None
    temperature: float | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """Return `recipe` with these values."""
        factor = 1.0 if self.rate is None else self.rate
        train = replace(
            recipe.train,
            learning_rate=recipe.train.learning_rate * factor,
            audio_rate=recipe.train.audio_rate * factor,
            head_rate=recipe.train.head_rate * factor,
        )
        names = ("in_modal", "cross_modal", "r_drop", "sup_con", "temperature")
        given = {name: getattr(self, name) for name in names}
        objective = replace(recipe.objective, **{k: v for k, v in given.items() if v is not None})
        dropout = recipe.model.dropout if self.dropout is None else self.dropout
        model = replace(recipe.model, dropout=dropout)
        return replace(recipe, train=train, objective=objective, model=model)


def trials(count: int) -> list[Trial]:
    """Return `count` trials, the same for every arm: the recipe as it is, then random ones."""

    def drawn(index: int) -> Trial:
        rng = random.Random(f"trial {index}")
        values = {
            name: math.exp(rng.uniform(math.log(low), math.log(high)))
            for name, (low, high) in SPACE.items()
        }
        return Trial(**values)

    return [Trial(), *(drawn(index) for index in range(1, count))][:count]
