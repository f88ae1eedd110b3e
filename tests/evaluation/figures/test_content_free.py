import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")
pytest.importorskip("scipy", reason="needs the train extra")

from training.fitting.metrics import equal_error_rate
from turbo_stream.evaluation.figures.content_free import content_free, cross_validated, probe_scores

RATE = 16_000


def made(rng: np.random.Generator, level: float) -> np.ndarray:
    wave = rng.standard_normal(RATE) * 1e-3
    wave[4000:12_000] += rng.standard_normal(8000) * level
    return wave.astype(np.float32)


def test_collections_of_different_level_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    waves, labels, groups = [], [], []
    for index in range(24):
        loud = index % 2 == 0
        waves.append(made(rng, 0.2 if loud else 0.05))
        labels.append(loud)
        groups.append(f"{loud}{index // 4}")
    labels, groups = np.array(labels), np.array(groups)
    assert equal_error_rate(labels, probe_scores(waves, labels, groups)) == 0.0


def test_features_do_not_depend_on_the_words_order() -> None:
    wave = made(np.random.default_rng(1), 0.2)
    turned = wave[::-1].copy()
    assert np.abs(content_free(wave) - content_free(turned)).max() < 0.2


@pytest.mark.parametrize("shared", [True, False])
def test_no_speaker_is_on_both_sides(shared: bool) -> None:
    """Who had met a speaker would know the class: features say who it is, and nothing else."""
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(30), 6)
    labels = (np.arange(30) % 2 == 0)[groups]
    if shared:
        labels = labels ^ (np.arange(len(groups)) % 6 == 0)
    features = rng.standard_normal((30, 200))[groups]
    scores = cross_validated(features, labels, groups)
    assert np.isfinite(scores).all()
    assert equal_error_rate(labels, scores) > 0.25


def test_a_class_of_one_group_is_split_by_its_items():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 40)
    groups = np.array(["actors"] * 40 + [f"speaker {n % 8}" for n in range(40)])
    features = rng.normal(0.0, 1.0, (80, 2)) + labels[:, None]
    scores = cross_validated(features, labels, groups)
    assert scores[labels == 1].mean() > scores[labels == 0].mean() + 0.5
