"""How well all that is no words tells the classes of a corpus apart."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

OF_SCENE = (
    "channel",
    "distance_m",
    "reverberation_s",
    "noise",
    "snr_db",
    "overlap_db",
    "clipped",
    "codec",
)


def measured(samples: np.ndarray) -> dict[str, float]:
    """Return length, loudness and noise as a listener without ears for words has them."""
    frames_db = 10 * np.log10(
        np.mean(samples[: len(samples) // 320 * 320].reshape(-1, 320) ** 2, axis=1) + 1e-10
    )
    floor_db, loud_db = np.percentile(frames_db, (5, 95))
    return {
        "seconds": len(samples) / 16_000,
        "mean_db": 10 * np.log10(np.mean(samples**2)),
        "peak_db": 20 * np.log10(np.abs(samples).max()),
        "floor_db": floor_db,
        "range_db": loud_db - floor_db,
    }


def probe_auc(corpus: Path, rows: list[dict], leak_s: float = 0.0) -> float:
    """Return how well nuisances alone tell the classes apart, on pairs not trained on."""
    pytest.importorskip("sklearn")
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    directed = np.array([row["label"] == "directed" for row in rows])
    features = []
    for row, leaks in zip(rows, directed, strict=True):
        samples, rate = soundfile.read(corpus / row["audio_filepath"])
        assert rate == 16_000
        assert len(samples) / rate == pytest.approx(row["duration"], abs=1e-3)
        nuisances = measured(samples)
        nuisances["seconds"] += leak_s * leaks
        for column in ("voice", "engine", "rate", "pitch", "tone", "level_db", *OF_SCENE):
            value = row[column]
            if isinstance(value, float):
                nuisances[column] = value
            else:
                nuisances[f"{column}={value}"] = 1.0
        features.append(nuisances)
    model = make_pipeline(
        DictVectorizer(sparse=False), StandardScaler(), LogisticRegression(max_iter=2000)
    )
    scores = cross_val_predict(
        model,
        features,
        directed,
        groups=[row["pair"] for row in rows],
        cv=GroupKFold(5),
        method="predict_proba",
    )[:, 1]
    return roc_auc_score(directed, scores)
