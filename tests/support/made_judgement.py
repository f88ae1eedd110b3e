"""Made recordings to judge by: bursts of noise whose level is what the tiny package goes by."""

import json
from pathlib import Path

import numpy as np
import soundfile

from tools.judge.recording import Recording
from turbo_stream.recognition.recognizer import Transcript

RATE = 16_000


def burst(level: float, seed: int, seconds: float = 0.5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    wave = rng.standard_normal(int(seconds * RATE)) * 1e-4
    wave[1600:-1600] += level * rng.standard_normal(len(wave) - 3200)
    return wave.astype(np.float32)


def recording(name: str = "a.wav", **changes) -> Recording:
    values = {
        "path": Path(name),
        "name": name,
        "directed": True,
        "collection": "calls",
        "group": name,
        "names": (),
        "text": None,
        "heard": Transcript("turn on the light"),
    }
    return Recording(**{**values, **changes})


def write_collections(folder: Path, each: int = 10) -> Path:
    """Write quiet directed and loud other bursts of two collections a class; return the manifest.

    The tiny package takes quiet sound for directed.
    """
    rows = []
    kinds = (
        ("calls", "directed", 0.02, "hey friday"),
        ("orders", "directed", 0.03, "turn on the light please"),
        ("chat", "not_directed", 0.1, "she said friday was on again"),
        ("film", "not_directed", 0.2, "the light went on and on and on"),
    )
    for number, (collection, label, level, text) in enumerate(kinds):
        for index in range(each):
            name = f"{collection}{index}.wav"
            soundfile.write(folder / name, burst(level, 100 * number + index), RATE)
            row = {"audio_filepath": name, "label": label, "set": collection, "text": text}
            named = collection in ("calls", "chat")
            device = ("friday", "hey light")[index % 2] if named else None
            group = f"{collection}{index // 2}"
            rows.append({**row, "device_name": device, "group": group})
    manifest = folder / "recordings.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return manifest
