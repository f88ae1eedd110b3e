"""The model card of any Turbo: what it is, what it learned from, and what it scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from models.audio.recognizer import RECOGNIZER
from models.hugging_face import PREFIX, hugging_face_name
from turbo_stream.segmentation.config import SegmenterConfig


def model_card(
    config: dict,
    metrics: dict,
    parity: dict,
    *,
    data: list[dict],
    bases: list[dict],
    name: str,
    version: str,
    language: str,
    licence: str,
) -> str:
    """Return the README.md of a package; `config` and `metrics` are those of its run.

    `bases` are the models that its weights began as, with their licences.
    """
    model, labels = config["model"], config["model"]["labels"]
    sources = ", ".join(
        item["name"] + (f" ({item['license']})" if item["license"] else "") for item in bases
    )
    points, test = "", ""
    if metrics.get("operating_points"):
        points = f"\nOperating points:\n\n{points_table(metrics['operating_points'])}\n"
    if metrics.get("test"):
        test = f"\n## On test data\n\n{_figures_table(metrics['test'])}\n"
    return f"""{header(licence, language, "speech-classification")}

# {name} {version}

Gives one utterance the probability of {", ".join(f"`{label}`" for label in labels)}, from its
sound, its transcript and the recognizer's confidence. Waveform in, INT8 weights.

- Sound: {tower(model, "audio")}.
- Text: {tower(model, "text")}.
- Fusion: {model["fusion"].replace("_", "-")};
  the objective is in `training/objective/objective.py`.

## On its development set

The weights were chosen and calibrated on these rows: expect less elsewhere.

{_figures_table(metrics["development"])}
{points}{test}
{parity_section(parity)}
## Trained on

{data_table(labels, data)}

Base models: {sources or "none"}.

## Limits

What stands above was measured, and nothing else: other voices, rooms, microphones and recognizers
than those of the data may fare worse. Not for anything where a wrong verdict does harm.
"""


def percent(value: float | None) -> str:
    """Return a fraction as the cards write it."""
    return "–" if value is None else f"{100 * value:.1f} %"


def header(licence: str, language: str, tag: str) -> str:
    """Return the YAML that the Hub reads."""
    return f"""---
license: {licence.lower()}
language: {language}
pipeline_tag: audio-classification
library_name: turbo_stream
tags: [{tag}, onnx, int8]
---"""


def base_models(model: dict) -> list[dict]:
    """Return the encoders that a network of configuration `model` started or learned from."""
    known = {
        "whisper-tiny": {
            "name": "smart-turn v3.2 (Whisper-tiny encoder)",
            "license": "BSD-2-Clause; Whisper: MIT",
        },
        "minilm": {"name": "sentence-transformers/all-MiniLM-L6-v2", "license": "Apache-2.0"},
    }
    found = []
    if model["audio"] == RECOGNIZER:
        found.append({"name": f"{_recognizer(model)} (its encoder's states)", "license": None})
    for tower in (model["audio"], "minilm" if model["text_init"] else model["text"]):
        if tower.startswith(PREFIX):
            found.append({"name": _shown(tower), "license": None})
        elif tower in known:
            own = tower == "whisper-tiny" and model.get("audio_init")
            found.append(_WHISPER if own else known[tower])
    return found


def tower(model: dict, kind: str) -> str:
    """Return in words what the `audio` or the `text` tower of a network is."""
    how = "frozen, under a small trained body" if model[f"{kind}_frozen"] else "fine-tuned"
    if model[kind] == RECOGNIZER:
        return f"the encoder states of {_recognizer(model)}, which hears first, under a small body"
    if model[kind] == "compact":
        taught = kind == "text" and model["text_init"]
        return "our own compact encoder" + (", distilled from MiniLM-L6" if taught else "")
    whisper = (
        "Whisper-tiny" if model.get("audio_init") else "Whisper-tiny by way of smart-turn v3.2"
    )
    if model[kind] == "whisper-tiny" and not model["audio_frozen"]:
        layers = model["audio_lower_layers"], model["audio_upper_layers"]
        how = "{} layers frozen at 50 frames a second, {} fine-tuned at 25".format(*layers)
    names = {"whisper-tiny": whisper, "minilm": f"{model['text_layers']} layers of MiniLM-L6"}
    return f"{names.get(model[kind]) or _shown(model[kind])}, {how}"


def data_table(labels: Sequence[str], data: list[dict]) -> str:
    """Return the collections, how many rows of each class they gave, and their licences."""
    classes = " | ".join(label.replace("_", " ") for label in labels)
    lines = [
        f"| collection | kind | {classes} | licence |",
        "|---|---|" + "---|" * (len(labels) + 1),
    ]
    for item in data:
        counts = " | ".join(str(item["rows"][label]) for label in labels)
        lines.append(
            f"| {item['collection']} | {item['kind']} | {counts} | {item['license'] or '–'} |"
        )
    return "\n".join(lines)


def points_table(points: dict[str, dict]) -> str:
    """Return the operating points and what they cost."""
    rows = "\n".join(
        f"| `{name}` | {point['threshold']:.3f} | {percent(point['false_accept'])} | "
        f"{percent(point['false_reject'])} |"
        for name, point in points.items()
    )
    return f"| name | threshold | false accepts | false rejects |\n|---|---|---|---|\n{rows}"


def parity_section(parity: dict) -> str:
    """Return how far the INT8 graph is from the network, and what it takes to run."""
    latency = parity["latency_ms_one_thread"]
    took = ", ".join(f"{key} {value['p50']} ms" for key, value in latency.items())
    return f"""## INT8 against float

On {parity["items"]} items ({parity["on"]}), one at a time:

| | largest logit difference | mean probability shift | decisions flipped |
|---|---|---|---|
| PyTorch to fp32 ONNX | {parity["pytorch_fp32_max_logit_difference"]:.1e} | | |
| fp32 to INT8 | {parity["fp32_int8_max_logit_difference"]:.2f} | {
        parity["fp32_int8_mean_probability_shift"]:.4f} | {percent(parity["decisions_flipped"])} |

One thread of the machine that exported it, p50: {took}. The graph takes {
        parity["int8_bytes"] / 1e6:.1f} MB.

Run one utterance at a time: INT8 scales are taken over the whole input tensor, so a batch would
let neighbours move each other's scores a little.
"""


def turn_section(found: Mapping[str, Any] | None) -> str:
    """Return the section, of `end_of_turn` of a package's metrics; empty without a head.

    `found` may hold `measured`, the report of `tools.measurements.end_of_turn`.
    """
    if not found:
        return ""
    return "\n".join(
        [
            "## Whether the speaker has finished",
            "",
            "The output `end_of_turn` says at a pause, from the sound alone, whether the utterance "
            "is over: a small head on the frozen lower layers of the sound tower. It was trained "
            "on real ends and pauses as the segmenter finds them, on speech broken off where it "
            "is weak, through random channels, and on what smart-turn v3.2 (BSD-2-Clause) says of "
            "the same pauses. From a probability of "
            f"{found['threshold']:g} on it counts as finished.",
            "",
            *_collections(found),
            *_rules(found.get("measured")),
            "",
        ]
    )


_MODES = {"fused": "fused", "audio": "audio only", "text": "text only"}


def _shown(tower: str) -> str:
    """Return how a card calls `hf:NAME`: a folder by its last name alone."""
    name = hugging_face_name(tower)
    on_the_hub = name.count("/") <= 1 and not name.startswith((".", "/"))
    return name if on_the_hub else Path(name).name


def _recognizer(model: dict) -> str:
    """Return whose states a network reads."""
    return json.loads(model["audio_architecture"])["recognizer"]


_WHISPER = {"name": "openai/whisper-tiny.en (its encoder)", "license": "MIT"}


def _figures_table(figures: dict[str, dict]) -> str:
    detection = any("eer" in found for found in figures.values())
    lines = ["| input | items | accuracy | mean recall of the classes | macro F1 |"]
    lines[0] += " equal error rate |" if detection else ""
    lines.append("|---|---|---|---|---|" + ("---|" if detection else ""))
    for mode, title in _MODES.items():
        if mode in figures:
            found = figures[mode]
            names = ["accuracy", "balanced_accuracy", "macro_f1", *(["eer"] * detection)]
            values = " | ".join(percent(found.get(name)) for name in names)
            lines.append(f"| {title} | {found['n']} | {values} |")
    return "\n".join(lines)


def _collections(found: Mapping[str, Any]) -> list[str]:
    left_out = found.get("held_out_collections", {})
    lines = [
        "Of collections it never heard (each row a head trained without them), as recorded: how "
        "often an end ranks above a pause (AUC), and the ends found where 15 % of the pauses pass "
        "for ends.",
        "",
        "| left out | ends | pauses | AUC | ends found |",
        "|---|---|---|---|---|",
    ]
    for names, figures in left_out.items():
        one = figures["as_recorded"]
        auc = "–" if one["auc"] is None else f"{one['auc']:.2f}"
        lines.append(
            f"| {names.replace(',', ', ')} | {one['ends']} | {one['pauses']} | {auc} | "
            f"{percent(one.get('found_at_15_percent_false'))} |"
        )
    learnt = [
        f"{row['collection']} ({row['ends']} / {row['pauses']} / {row['breaks']})"
        for row in found["data"]
    ]
    return [
        *(lines if left_out else []),
        "",
        f"Learnt from (ends / pauses / breaks): {', '.join(learnt)}.",
        "",
    ]


def _rules(measured: Mapping[str, Any] | None) -> list[str]:
    if measured is None:
        return []
    rules = measured["rules"]
    threshold = measured["threshold"]
    wait = f"{SegmenterConfig().finished_silence_ms:g}"
    judges = [f"{judge} {wait} {threshold:g}" for judge in ("turbo", "smart-turn")]
    shown = ["fixed 600", "adaptive silence", *judges]
    lines = [
        "In streams of recordings none of which its head had heard: utterances cut in two, and "
        "the wait from the true end of the speech to the endpoint.",
        "",
        "| rule | condition | utterances | cut in two | wait p50 | p95 |",
        "|---|---|---|---|---|---|",
    ]
    for name in (name for name in shown if name in rules):
        for condition, groups in rules[name].items():
            if condition in ("family", "setting"):
                continue
            one = groups["all"]
            waited = one["wait_ms"]
            lines.append(
                f"| {name} | {condition} | {one['utterances']} | {percent(one['cut_share'])} | "
                f"{waited['p50']:.0f} ms | {waited['p95']:.0f} ms |"
            )
    return lines
