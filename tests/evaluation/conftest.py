"""A small corpus cut from the shipped scene, and a tiny package to score it with."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.tiny_package import write_package


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "tiny")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory, kitchen_pcm: np.ndarray, kitchen_spans: list[dict]) -> Path:
    """A manifest of the scene's 15 utterances as clips, and one row that is no sound."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = []
    for number, span in enumerate(kitchen_spans):
        clip = kitchen_pcm[int(span["start_s"] * 16_000) : int(span["end_s"] * 16_000)]
        soundfile.write(folder / f"{number}.wav", clip, 16_000)
        rows.append(
            {
                "audio_filepath": f"{number}.wav",
                "label": span["label"],
                "text": span["text"],
                "speaker": span["voice"],
            }
        )
    (folder / "broken.wav").write_text("no sound")
    rows.insert(7, {"audio_filepath": "broken.wav", "label": "directed"})
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path
