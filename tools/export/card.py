"""The model card of any Turbo: what it is, what it learned from, and what it scores."""

import json
from collections.abc import Sequence
from pathlib import Path

from models.audio.recognizer import RECOGNIZER
from models.hugging_face import PREFIX, hugging_face_name


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
    licence: str | None,
) -> str:
    """Return the README.md of a package; `config` and `metrics` are those of its run.

    `bases` are the models that its weights began as, with their licences; `licence` is that of the
    weights themselves, None where nobody has stated it.
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
sound and its transcript{", and the recognizer's confidence" if sees_confidence(model) else ""}.
Waveform in, INT8 weights.

- Sound: {tower(model, "audio")}.
- Text: {tower(model, "text")}.
- Fusion: {fusion(model)};
  the objective is in `training/objective/objective.py`.

## On its development set

The weights were chosen on these rows: expect less elsewhere.

{_figures_table(metrics["development"])}

{calibration_section(metrics, parity)}
{points}{test}
{parity_section(parity)}
## Trained on

{data_table(labels, data)}

Base models: {sources or "none"}. Licence of these weights: {licence or NOT_STATED}.

## Limits

What stands above was measured, and nothing else: other voices, rooms, microphones and recognizers
than those of the data may fare worse. Not for anything where a wrong decision does harm.
"""


def fusion(model: dict) -> str:
    """Return how the towers meet."""
    if model["fusion"] == "additive":
        return f"the logits of the words and {model['sound_share']:g} times those of the sound"
    return str(model["fusion"]).replace("_", "-")


def sees_confidence(model: dict) -> bool:
    """Return whether the recognizer's confidence is an input."""
    return model["use_confidence"] and model["fusion"] != "additive"


def calibration_section(metrics: dict, parity: dict) -> str:
    """Return what the probabilities are for, what they were fitted on, and how far they are off.

    The calibration error is over the rows as they are, in 15 bins of equal width.
    """
    labels = len(metrics["calibration"]["bias"])
    lines = [
        "## Calibration",
        "",
        f"The probabilities are for as much of every class as of any other (a prior of 1 in "
        f"{labels}), whatever shares the recordings had: calibration weighs the classes alike. "
        "Where one class is rarer, its probabilities are too high by as much.",
        "",
    ]
    found = metrics.get("calibrated")
    pairs = metrics["calibration"].get("pairs")
    if pairs:
        error, seeds = metrics["calibration"]["ece"], metrics["calibration"].get("seeds", 1)
        by_seeds = f" by runs of {seeds} seeds" if seeds > 1 else ""
        lines.append(
            "Fitted on what runs that had never met a pair of collections said of it, "
            f"{len(pairs)} pairs together{by_seeds}; the thresholds are of the same. Calibrated by "
            f"the other pairs, a pair has a calibration error of {percent(error)} (15 bins, the "
            "items as they are)."
        )
    elif found is None:
        lines.append(
            "Fitted on the development set, which chose the weights, too, and set the thresholds: "
            "expect a larger error elsewhere."
        )
    else:
        parts = [
            f"{found[key]['rows']} recordings of {found[key]['groups']} speakers or groups"
            for key in ("fitted_on", "thresholds_on")
        ]
        lines.append(
            f"Fitted on {parts[0]} that had no part in training; the thresholds are of {parts[1]} "
            f"more ({', '.join(found['thresholds_on']['collections'])})."
        )
    for said, error, share in (
        ("recordings that set the thresholds", found and found.get("ece"), found),
        ("recordings of the table below", parity.get("int8_ece"), None),
    ):
        if error is None:
            continue
        directed = f", {percent(share['share_directed'])} of them directed" if share else ""
        lines += ["", f"Expected calibration error on the {said}{directed}: {percent(error)}."]
    return "\n".join(lines)


def percent(value: float | None) -> str:
    """Return a fraction as the cards write it."""
    return "–" if value is None else f"{100 * value:.1f} %"


def header(licence: str | None, language: str, tag: str) -> str:
    """Return the YAML that the Hub reads; without a line on the licence where it is not stated."""
    stated = f"license: {licence.lower()}\n" if licence else ""
    return f"""---
{stated}language: {language}
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
    found: list[dict] = []
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

Run one utterance at a time, without padding: INT8 scales are taken over the whole input tensor, so
that neighbours in a batch, or zeros behind the sound, would move the scores a little.
"""


NOT_STATED = "not stated"
"""In the place of a licence that neither the run nor the command names."""

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
    binary = any("eer" in found for found in figures.values())
    lines = ["| input | items | accuracy | mean recall of the classes | macro F1 |"]
    lines[0] += " equal error rate |" if binary else ""
    lines.append("|---|---|---|---|---|" + ("---|" if binary else ""))
    for mode, title in _MODES.items():
        if mode in figures:
            found = figures[mode]
            names = ["accuracy", "balanced_accuracy", "macro_f1", *(["eer"] * binary)]
            values = " | ".join(percent(found.get(name)) for name in names)
            lines.append(f"| {title} | {found['n']} | {values} |")
    return "\n".join(lines)
