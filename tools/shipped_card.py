"""The card of the shipped package, `turbo-rej-en`: its sources, its figures and its limits."""

from __future__ import annotations

from tools.card import data_table, header, parity_section, percent, points_table

NAME = "turbo-rej-en"

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
"""Its text files by name: where they come from, and their licence; their rows do not say."""


def _pairs_table(pairs: list[dict]) -> str:
    lines = [
        "| left out of training | items | content-free probe | audio | text | fused (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for pair in pairs:
        low, high = pair["fused"]["eer_ci95"]
        lines.append(
            f"| {pair['directed']} × {pair['not_directed']} | {pair['n']} | "
            f"{percent(pair['probe']['eer'])} | {percent(pair['audio']['eer'])} | "
            f"{percent(pair['text']['eer'])} | {percent(pair['fused']['eer'])} "
            f"({percent(low)} to {percent(high)}) |"
        )
    return "\n".join(lines)


def _test_section(metrics: dict) -> str:
    test = metrics.get("test")
    if test is None:
        return ""
    rows = "\n".join(
        f"| {mode} | {test[mode]['n']} | {percent(test[mode]['eer'])} |"
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


def shipped_card(
    config: dict,
    metrics: dict,
    parity: dict,
    reports: dict,
    *,
    data: list[dict],
    language: str,
    version: str,
) -> str:
    """Return the README.md of `turbo-rej-en`."""
    development = metrics["development"]
    model = config["model"]
    pairs = reports.get("pairs")
    unseen = (
        "Not measured for this package: retrain with `python -m training.pairs`."
        if pairs is None
        else f"{_pairs_table(pairs['pairs'])}\n\n{pairs['how']}"
    )
    return f"""{header(LICENCE, language, "device-directed-speech")}

# {NAME} {version}

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
| fused | {development["fused"]["n"]} | {percent(development["fused"]["eer"])} |
| audio only | {development["audio"]["n"]} | {percent(development["audio"]["eer"])} |
| text only | {development["text"]["n"]} | {percent(development["text"]["eer"])} |

Operating points, measured on the same speakers as recorded and through a random channel: expect
more errors of both kinds elsewhere.

{points_table(metrics["operating_points"])}

{parity_section(parity)}
## Trained on

{data_table(model["labels"], data)}

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
