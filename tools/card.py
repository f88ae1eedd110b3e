"""The model card: what the network is, learned from, scores, and must not be used for."""

from __future__ import annotations

from tools.package import LANGUAGE, NAME, VERSION

LICENCE = "CC-BY-SA-4.0"
"""Of the weights: the strictest of their sources' (the WUW Corpus II) asks for it."""

TEXT_SOURCES = {
    "slurp_dev_test": ("pswietojanski/slurp", "CC-BY-4.0"),
    "hwu64": ("xliuhw/NLU-Evaluation-Data", "CC-BY-4.0"),
    "clinc150": ("clinc/oos-eval", "CC-BY-3.0"),
    "snips2017": ("sonos/nlu-benchmark", "CC0-1.0"),
    "ohf_home_assistant_en": ("OHF-Voice/intents", "CC-BY-4.0"),
    "pico_coffee_corpus": ("Picovoice/speech-to-intent-benchmark", "Apache-2.0"),
    "cabnc_home_conversation": ("saulalbert/CABNC", "CC-BY-3.0"),
    "topical_chat_typed": ("alexa/Topical-Chat", "CDLA-Sharing-1.0"),
}
"""Text files by name: where they come from, and their licence; their rows do not say."""

BASE_MODELS = (
    {"name": "smart-turn v3.2 (Whisper-tiny encoder)", "license": "BSD-2-Clause; Whisper: MIT"},
    {"name": "sentence-transformers/all-MiniLM-L6-v2", "license": "Apache-2.0"},
)


def training_summary(metrics: dict) -> dict:
    """Return what the weights were made from: collections, rows, sources, licences."""
    data = []
    for item in metrics["data"]:
        source, licence = TEXT_SOURCES.get(item["collection"], (None, None))
        data.append(
            {
                **item,
                "source": item["source"] or source,
                "license": item["license"] or licence,
            }
        )
    return {"license": LICENCE, "base_models": list(BASE_MODELS), "data": data}


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _data_table(metrics: dict) -> str:
    lines = ["| collection | kind | directed | not directed | licence |", "|---|---|---|---|---|"]
    for item in training_summary(metrics)["data"]:
        lines.append(
            f"| {item['collection']} | {item['kind']} | {item['rows']['directed']} | "
            f"{item['rows']['not_directed']} | {item['license'] or '–'} |"
        )
    return "\n".join(lines)


def _pairs_table(pairs: list[dict]) -> str:
    lines = [
        "| left out of training | items | content-free probe | audio | text | fused (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for pair in pairs:
        low, high = pair["fused"]["eer_ci95"]
        lines.append(
            f"| {pair['directed']} × {pair['not_directed']} | {pair['n']} | "
            f"{_percent(pair['probe']['eer'])} | {_percent(pair['audio']['eer'])} | "
            f"{_percent(pair['text']['eer'])} | {_percent(pair['fused']['eer'])} "
            f"({_percent(low)} to {_percent(high)}) |"
        )
    return "\n".join(lines)


def _test_section(metrics: dict) -> str:
    test = metrics.get("test")
    if test is None:
        return ""
    rows = "\n".join(
        f"| {mode} | {test[mode]['n']} | {_percent(test[mode]['eer'])} |"
        for mode in ("fused", "audio", "text")
    )
    return f"""
## On synthetic voices and sentences it never met

The corpus of `tools.build_rej_corpus`, test fold, true text (a recognizer's where it had heard the
clip): the same voices in both classes, so that only the words tell.

| input | items | equal error rate |
|---|---|---|
{rows}
"""


def model_card(config: dict, metrics: dict, parity: dict, reports: dict) -> str:
    """Return the package's README.md."""
    development = metrics["development"]
    model = config["model"]
    latency = parity["latency_ms_one_thread"]
    pairs = reports.get("pairs")
    unseen = (
        "Not measured for this package: retrain with `python -m training.pairs`."
        if pairs is None
        else f"{_pairs_table(pairs['pairs'])}\n\n{pairs['how']}"
    )
    points = "\n".join(
        f"| `{name}` | {point['threshold']:.3f} | {_percent(point['false_accept'])} | "
        f"{_percent(point['false_reject'])} |"
        for name, point in metrics["operating_points"].items()
    )
    return f"""---
license: {LICENCE.lower()}
language: {LANGUAGE}
pipeline_tag: audio-classification
library_name: turbo_stream
tags: [device-directed-speech, onnx, int8]
---

# {NAME} {VERSION}

Says whether one utterance was meant for the device that hears it, from its sound, its transcript
and the recognizer's confidence. Two towers, joined by concatenation and trained with cross-entropy
and dual-dropout contrastive terms after arXiv 2409.09282. Waveform in, INT8 weights.

- Sound: log-mel and {model["audio_lower_layers"]} + {model["audio_upper_layers"]} Whisper-tiny
  layers, by way of smart-turn v3.2.
- Text: {model["text_layers"]} MiniLM layers over {model["vocabulary_size"]} word pieces.

**A first model.** It rejects much side speech and accepts most commands, and is not yet one to
trust alone; the table of collections it never heard says how far it goes.

## On collections it never heard

Equal error rates on real recordings; each row is another training run that had neither collection.
The content-free probe hears no words, only length, margins, level, noise and long-term spectrum,
and is trained on that very pair (other groups of speakers): it shows how far the two collections
give themselves away, and is no rival that could be shipped.

{unseen}
{_test_section(metrics)}
## On held-out speakers of the same collections

Recorded and synthetic development rows, as they are. These figures prove little, for a collection
can be told by its channel.

| input | items | equal error rate |
|---|---|---|
| fused | {development["fused"]["n"]} | {_percent(development["fused"]["eer"])} |
| audio only | {development["audio"]["n"]} | {_percent(development["audio"]["eer"])} |
| text only | {development["text"]["n"]} | {_percent(development["text"]["eer"])} |

Operating points, measured on the same speakers as recorded and through a random channel: expect
more errors of both kinds elsewhere.

| name | threshold | false accepts | false rejects |
|---|---|---|---|
{points}

## INT8 against float

On {parity["items"]} items ({parity["on"]}), one at a time:

| | largest logit difference | mean probability shift | decisions flipped at 0.5 |
|---|---|---|---|
| PyTorch to fp32 ONNX | {parity["pytorch_fp32_max_logit_difference"]:.1e} | | |
| fp32 to INT8 | {parity["fp32_int8_max_logit_difference"]:.2f} | {
        parity["fp32_int8_mean_probability_shift"]:.4f} | {
        _percent(parity["decisions_flipped_at_half"])
    } |

One thread of the machine that exported it, p50: {
        ", ".join(f"{key} {value['p50']} ms" for key, value in latency.items())
    }. The graph takes {parity["int8_bytes"] / 1e6:.1f} MB.

Run one utterance at a time: INT8 scales are taken over the whole input tensor, so a batch would
let neighbours move each other's scores a little.

## Trained on

{_data_table(metrics)}

Base models: smart-turn v3.2 (BSD-2-Clause, pipecat-ai; a fine-tuned Whisper-tiny encoder, MIT) and
all-MiniLM-L6-v2 (Apache-2.0). Every source is named with its licence in `turbo.json` under
`training` and in LICENSE-WEIGHTS.md. The weights are under {LICENCE}, because recordings under that
licence (WUW Corpus II, V. Kepuska) are among the sources.

## Limits

English text. Accents and children are thinly covered, directed speech of children not at all.
Distance, rooms and noise were added to recordings made close by. Synthetic voices are a large part
of the training speech. Television and quoted commands are hard. Text of a poor recognizer costs
accuracy. Not for anything where a wrong verdict does harm.
"""
