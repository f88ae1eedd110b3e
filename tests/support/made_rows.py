"""Rows as `predictions.jsonl` holds them, made for the tests of figures and reports."""

import numpy as np


def row(score, label, **columns):
    """Return one scored row."""
    return {
        "audio_filepath": "a.wav",
        "label": label,
        "directed_probability": score,
        "decision": "accepted" if score >= 0.5 else "rejected",
        **columns,
    }


def many_rows(count=400, *, seed=0, speakers=20, shift=0.0):
    """Return rows of two overlapping classes; speakers differ, so that they matter."""
    rng = np.random.default_rng(seed)
    habits = rng.normal(0, 1.2, speakers)
    rows = []
    for i in range(count):
        speaker = int(rng.integers(speakers))
        directed = bool(rng.random() < 0.4)
        logit = (1.5 if directed else -1.5) + habits[speaker] + rng.normal(0, 1) + shift
        rows.append(
            row(
                float(1 / (1 + np.exp(-logit))),
                "directed" if directed else "not_directed",
                audio_filepath=f"clips/{i}.wav",
                speaker=f"s{speaker}",
                source="kitchen" if i % 3 else "car",
                duration=float(rng.gamma(2, 1.3)),
                text="turn on the light",
                text_used="turn on light" if i % 4 == 0 else "turn on the light",
                asr={"backend": "whisper:tiny.en", "avg_logprob": -0.3},
                audio_s=2.0,
                latency_ms={"asr": 30.0 + i % 7, "turbo": 5.0, "total": 40.0},
            )
        )
    return rows


RUN = {
    "mode": "utterance",
    "model": "turbo-test",
    "asr": "whisper:tiny.en",
    "threshold": 0.5,
    "operating_points": {"balanced": {"threshold": 0.5}, "strict": {"threshold": 0.9}},
}


def recording(segments, events, audio_s=3600.0, **columns):
    """Return a row of stream mode; an event is (start_s, end_s, probability[, more])."""
    return {
        "audio_filepath": "long.wav",
        "segments": [
            {"start_s": start, "end_s": end, "label": label, "text": " ".join(text) or None}
            for start, end, label, *text in segments
        ],
        "events": [
            {
                "event": "utterance",
                "start_s": start,
                "end_s": end,
                "directed_probability": score,
                "decision": "dropped"
                if score is None
                else ("accepted" if score >= 0.5 else "rejected"),
                "text": " ".join(text) or None,
                "latency_ms": {"endpoint_to_decision": 200.0, "asr": 30.0, "turbo": 5.0},
            }
            for start, end, score, *text in events
        ],
        "audio_s": audio_s,
        "latency_ms": {"total": 1000.0},
        **columns,
    }
