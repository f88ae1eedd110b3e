import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
soundfile = pytest.importorskip("soundfile")

from tests.support.tiny_corpus import word_tokenizer
from training.crossval.pair_scores import read_pair_scores
from training.crossval.pairs import score_pair
from training.crossval.seeds import MODES
from training.data.row import Row
from training.fitting.checkpoint import load_model, save_setup, save_weights
from training.fitting.metrics import equal_error_rate
from training.fitting.recipe import Recipe, build_recipe
from training.fitting.runs import summarize, train_run
from training.fitting.workbench import load_rows

WORDS = ["turn", "stop", "light", "yes", "was", "he", "late", "and"]


@pytest.fixture
def start(tiny, tmp_path):
    """A folder with a tiny model and its tokenizer."""
    tokenizer = word_tokenizer([*WORDS, *(f"w{i}" for i in range(48))])
    folder = tmp_path / "start"
    save_setup(folder, Recipe(model=tiny.config), tokenizer)
    save_weights(folder, tiny)
    return folder


@pytest.fixture
def manifest(tmp_path):
    """Forty clips: two recorded collections and a synthetic one, both classes, two folds."""
    rng = np.random.default_rng(0)
    rows, heard = [], []
    for index in range(40):
        directed = index % 2 == 0
        wave = rng.normal(0, 0.1, 6_000 + 100 * index)
        soundfile.write(tmp_path / f"{index}.wav", wave, 16_000)
        words = WORDS[:4] if directed else WORDS[4:]
        row = {
            "audio_filepath": f"{index}.wav",
            "label": "directed" if directed else "not_directed",
            "text": " ".join(rng.choice(words, 3)),
            "set": "commands" if directed else "chat",
            "group": f"g{index}",
            "fold": {0: "dev", 1: "test"}.get(index % 5, "train"),
        }
        if index % 4 < 2:
            row = {key: value for key, value in row.items() if key != "set"} | {"engine": "flite"}
        rows.append(row)
        heard.append({"audio_filepath": f"{index}.wav", "text": row["text"], "avg_logprob": -1})
    for name, lines in (("m.jsonl", rows), ("h.jsonl", heard)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path / "m.jsonl"


@pytest.mark.slow
def test_a_run_writes_what_it_promises_and_repeats_itself(start, manifest, tmp_path):
    common = [
        f"data.manifest={manifest}",
        f"data.hypotheses={manifest.with_name('h.jsonl')}",
        f"data.features={tmp_path / 'features'}",
        f"init={start}",
        "train.steps=4",
        "train.batch=8",
        "train.evaluate_every=2",
    ]
    first = build_recipe("rej", [*common, f"out={tmp_path / 'a'}"])
    metrics = train_run(first)
    assert set(metrics["operating_points"]) == {"balanced", "fa1", "fr1"}
    assert [look["step"] for look in metrics["looks"]] == [2, 4]
    assert (metrics["rows"], metrics["dev_rows_with_sound"]) == (24, 8)
    assert metrics["test"]["fused"]["n"] == 8
    assert len(load_rows(first)) == 40
    assert json.loads((tmp_path / "a" / "metrics.json").read_text())["data"]
    again = train_run(build_recipe("rej", [*common, f"out={tmp_path / 'b'}"]))
    assert again["looks"] == metrics["looks"]

    frozen, _ = load_model(start)
    trained, _ = load_model(tmp_path / "a")
    before, after = frozen.state_dict(), trained.state_dict()
    for name, value in before.items():
        if name.startswith("audio_front."):
            assert torch.equal(value, after[name]), name
    assert not torch.equal(
        before["fusion.classifier.1.weight"], after["fusion.classifier.1.weight"]
    )

    pair = score_pair(first, ("commands", "chat"), tmp_path / "a")
    assert pair["n"] == 20
    for name in ("fused", "audio", "text", "probe"):
        assert 0.0 <= pair[name]["eer"] <= 1.0
    kept = read_pair_scores(tmp_path / "a", MODES)
    assert len(kept.groups) == 20 and kept.truths.sum() == pair["fused"]["n_directed"]
    for mode in MODES:
        assert equal_error_rate(kept.truths, kept.margins[mode]) == pair[mode]["eer"]


def test_licences_of_clips_are_listed_once_each():
    given = (
        "text: CC0-1.0; voice: GPL-3.0 program; its output is not covered",
        "text: CC0-1.0; voice: BSD; noise: MIT (repo)",
    )
    rows = [Row(None, 1, "stop", (), "flite", "a", (), license=text) for text in given]
    (found,) = summarize(rows, ("not_directed", "directed"))
    assert found["license"] == (
        "noise: MIT (repo); text: CC0-1.0; voice: BSD; "
        "voice: GPL-3.0 program; its output is not covered"
    )
