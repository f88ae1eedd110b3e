"""`offset` and `duration` mean the same to whoever reads a manifest."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.part import Part
from turbo_stream.evaluation.report.compare import _Run


@pytest.mark.parametrize(
    ("given", "start", "length"),
    [
        ({}, 0, None),
        ({"offset": None, "duration": None}, 0, None),
        ({"offset": 0}, 0, None),
        ({"duration": 1}, 0, 16_000),
        ({"offset": None, "duration": 1.0}, 0, 16_000),
        ({"offset": 0.5, "duration": 0.1}, 8_000, 1_600),
        ({"offset": 0.1 + 0.2}, 4_800, None),
    ],
)
def test_a_part_begins_at_its_offset_and_lasts_its_duration(given, start, length, tmp_path) -> None:
    row = {"audio_filepath": "a.wav", **given}
    assert Part.of(row) == Part("a.wav", start, length)
    soundfile.write(tmp_path / "a.wav", np.arange(32_000, dtype=np.int16), 16_000)
    (tmp_path / "m.jsonl").write_text(json.dumps(row))
    (item,) = read_manifest(tmp_path / "m.jsonl")
    pcm = read_clip(item.path, item.offset_s, item.duration_s)
    assert (pcm[0], len(pcm)) == (start, 32_000 - start if length is None else length)


@pytest.mark.parametrize("key", ["offset", "duration"])
@pytest.mark.parametrize("value", [-1, "1", [1], float("nan"), 10**400])
def test_what_are_no_seconds_is_refused(key: str, value: object) -> None:
    with pytest.raises(InputError, match=f"{key} is .*give seconds from 0"):
        Part.of({"audio_filepath": "a", key: value})


def test_seconds_without_end(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.ones(1_600, np.int16), 16_000)
    assert len(read_clip(tmp_path / "a.wav", 0.0, float("inf"))) == 1_600
    with pytest.raises(InputError, match="no sound"):
        read_clip(tmp_path / "a.wav", float("inf"))
    Part.of({"audio_filepath": "a", "offset": float("inf"), "duration": 1e300})


def test_runs_are_compared_part_by_part(tmp_path: Path) -> None:
    common = {"audio_filepath": "a.wav", "label": "directed", "directed_probability": 0.5}
    lengths = [(None, 1.0), (0.0, 2.0), (2.0, 1.0)]
    rows = [{**common, "offset": start, "duration": length} for start, length in lengths]
    del rows[0]["offset"]
    for name, order in (("a", rows), ("b", rows[::-1])):
        (tmp_path / name).mkdir()
        lines = "".join(json.dumps(row) + "\n" for row in order)
        (tmp_path / name / "predictions.jsonl").write_text(lines)
        (tmp_path / name / "metrics.json").write_text('{"run": {"mode": "utterance"}}')
    a, b = (_Run.read(tmp_path / name).items for name in "ab")
    assert len(a) == 3 and {key: row["duration"] for key, row in a.items()} == {
        key: row["duration"] for key, row in b.items()
    }
