"""How often an end ranks above a pause, by each judge."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tools.measurements.end_of_turn.counts import CONDITIONS
from tools.measurements.end_of_turn.unmet import Floats, Heard
from training.end_of_turn.turn_head import pause_figures


def ranks(heard: Heard, odds: Mapping[str, Sequence[Floats]]) -> dict[str, Any]:
    """Return how often an end ranks above a pause (AUC), by collection, condition and judge."""
    found: dict[str, Any] = {}
    for index, (collection, pauses) in enumerate(heard):
        judges = {**{head: said[index] for head, said in odds.items()}, "public": pauses.public}
        found[collection.name] = {}
        for condition in CONDITIONS:
            of = (pauses.condition == condition) & ~(pauses.last & collection.blind)
            ends = pauses.last[of]
            told = {name: said[of] for name, said in judges.items() if not np.isnan(said[of]).any()}
            found[collection.name][condition] = {
                "ends": int(ends.sum()),
                "pauses": int((~ends).sum()),
                "auc": {name: pause_figures(ends, said)["auc"] for name, said in told.items()},
            }
    return found
