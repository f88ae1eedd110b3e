"""The arms of an ablation: the same run under another objective."""

from __future__ import annotations

from dataclasses import replace

from training.objective.objective import ObjectiveConfig

_TERMS: dict[str, dict[str, float]] = {
    "ce": {},
    "ce_2view": {},
    "in_modal": {"in_modal": 0.1},
    "cross_modal": {"cross_modal": 0.1},
    "turbo": {"in_modal": 0.1, "cross_modal": 0.1},
    "r_drop": {"r_drop": 1.0},
    "sup_con": {"sup_con": 0.1},
    "cross_shuffled": {"cross_modal": 0.1},
}
"""What each arm adds to cross-entropy, and with which weight where the configuration has none."""

ARMS = tuple(_TERMS)


def select_arm(config: ObjectiveConfig, arm: str) -> ObjectiveConfig:
    """Return `config` with the terms of `arm` and no other; `ce` alone has a single view.

    A term keeps the weight that `config` gives it, so that a tuned one stays tuned; one that
    stands at 0 there gets its default.

    Raises:
        ValueError: there is no such arm.
    """
    if arm not in _TERMS:
        raise ValueError(f"arm {arm}: unknown; allowed: {', '.join(ARMS)}")
    wanted = _TERMS[arm]
    weights = {
        term: (getattr(config, term) or wanted[term]) if term in wanted else 0.0
        for term in ("in_modal", "cross_modal", "r_drop", "sup_con")
    }
    views, shuffled = 1 if arm == "ce" else 2, arm == "cross_shuffled"
    return replace(config, views=views, shuffle_pairs=shuffled, **weights)
