"""Damaged and made-up manifests and results of evaluations: read, or one clean error."""

import json
from contextlib import suppress

import numpy as np
import pytest
import soundfile

from tests.attacks.mutations import mutated
from tests.attacks.nonsense import HOSTILE_TEXTS, with_nonsense, written
from tests.support.tiny_package import write_package
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest
from turbo_stream.evaluation.corpus.rows import BinaryItems, duration_of, read_run
from turbo_stream.evaluation.corpus.spans import read_spans
from turbo_stream.evaluation.run import evaluate, remarks
from turbo_stream.evaluation.scoring.settings import ScoringSettings

KNOWN = ("directed", "not_directed")
ROWS = [
    {"audio_filepath": "a.wav", "label": "directed", "text": "turn on", "offset": 0.1},
    {"audio_filepath": "a.wav", "label": "not_directed", "duration": 0.2, "speaker": "Anna"},
    {
        "audio_filepath": "b.wav",
        "device_name": "friday",
        "segments": [{"start_s": 0.0, "end_s": 0.3, "label": "directed", "text": "hm"}],
    },
]
SETTINGS = {mode: ScoringSettings(mode=mode) for mode in ("utterance", "stream")}


def refused(error: InputError) -> None:
    """What holds of every message, but for what escapes control characters later."""
    assert len(str(error)) < 2_000 and "Traceback" not in str(error), error


def content(chance, rows=ROWS) -> bytes:
    """JSON lines with nonsense in them, or damage done to good ones."""
    good = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if chance.random() < 0.3:
        return mutated({"lines": good}, chance)[1]
    lines = [written(one, chance) for one in with_nonsense(rows, chance)]
    return b"\n".join(lines)


def as_csv(chance) -> bytes:
    """CSV with nonsense in a cell, or damage done to it."""
    cells = [["audio_filepath", "label", "offset", "duration", "text"]]
    cells += [["a.wav", "directed", "0.1", "", "turn on"], ["b.wav", "not_directed", "", "1", ""]]
    if chance.random() < 0.6:
        row = cells[chance.integers(len(cells))]
        row[chance.integers(len(row))] = str(chance.choice(HOSTILE_TEXTS))
    text = "\n".join(",".join(row) for row in cells).encode("utf-8", "surrogatepass")
    return text if chance.random() < 0.5 else mutated({"cells": text}, chance)[1]


def looked_at(item: Item) -> None:
    """Everything that an item says of itself."""
    assert item.path.name or item.path
    assert item.offset_s >= 0 and (item.duration_s is None or item.duration_s >= 0)
    assert item.part.start >= 0
    for text in (item.text, item.device_name, *(item.names or ())):
        (text or "").encode("utf-8")
    with suppress(InputError):
        assert all(0 <= span.start_s < span.end_s for span in read_spans(item.row))


def test_a_manifest_is_read_or_refused(attack, tmp_path) -> None:
    for chance in attack.inputs(at_least=500):
        path = tmp_path / ("m.csv" if chance.random() < 0.3 else "m.jsonl")
        path.write_bytes(as_csv(chance) if path.suffix == ".csv" else content(chance))
        try:
            items = read_manifest(path)
            for item in items:
                looked_at(item)
            for settings in SETTINGS.values():
                remarks(path, items, settings, KNOWN)
        except InputError as error:
            refused(error)


def test_results_are_read_or_refused(attack, tmp_path) -> None:
    scored = [row | {"directed_probability": 0.5, "audio_s": 1.5} for row in ROWS[:2]]
    metrics = {"run": {"mode": "utterance", "threshold": 0.5}, "summary": {}}
    for chance in attack.inputs(at_least=500):
        (tmp_path / "predictions.jsonl").write_bytes(content(chance, scored))
        (tmp_path / "metrics.json").write_bytes(
            written(with_nonsense(metrics, chance), chance)
            if chance.random() < 0.5
            else json.dumps(metrics).encode()
        )
        try:
            rows, _ = read_run(tmp_path)
            found = BinaryItems.from_rows(rows)
            assert found is None or np.isfinite(found.scores).all()
            assert all((duration_of(row) or 0) >= 0 for row in rows)
        except InputError as error:
            refused(error)


@pytest.mark.slow
def test_a_manifest_is_evaluated_or_refused(attack, tmp_path, capfd) -> None:
    package = write_package(tmp_path / "tiny")
    sound = np.random.default_rng(0).integers(-9_000, 9_000, 8_000).astype(np.int16)
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, sound, 16_000)
    for number, chance in enumerate(attack.inputs(at_least=3)):
        manifest, out = tmp_path / "m.jsonl", tmp_path / f"out-{number}"
        manifest.write_bytes(content(chance))
        settings = ScoringSettings(model=package, gold_text=True)
        try:
            evaluate(manifest, out, settings, say=lambda message: None)
        except InputError as error:
            refused(error)
            continue
        page = next(out.glob("*.html")).read_text("utf-8")
        assert "<script>fetch" not in page and "onerror=alert(1)>" not in page
        assert "</style><svg" not in page
        json.loads((out / "metrics.json").read_text("utf-8"), parse_constant=pytest.fail)
        read_run(out)
