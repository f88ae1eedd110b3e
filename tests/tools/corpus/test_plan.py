import random

import numpy as np

from tools.corpus.plan import draw_context


def seconds(label: str, at_once: bool = False) -> np.ndarray:
    rng = random.Random(0)
    drawn = [draw_context(label, "play some jazz", at_once, rng) for _ in range(3000)]
    return np.array([context.after_s for context in drawn])


def test_follow_ups_come_soon_and_other_talk_at_any_time() -> None:
    soon = seconds("directed", at_once=True)
    assert 0.84 < np.mean((soon >= 2) & (soon <= 8)) < 0.92
    talk = seconds("not_directed")
    assert talk.min() >= 2
    assert talk.max() <= 300
    assert 0.25 < np.mean(talk < 8) < 0.31  # log(8 / 2) / log(300 / 2)
    mixed = seconds("directed")
    assert 0.65 < np.mean(mixed < 8) < 0.75
