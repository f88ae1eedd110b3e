"""The part of the shipped card about the end-of-turn head."""

import math
from collections.abc import Mapping
from typing import Any

from tools.export.card import percent
from turbo_stream.segmentation.config import SegmenterConfig


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
            f"the same pauses. {_rule(found['threshold'])}",
            "",
            *_collections(found),
            *_rules(found.get("measured")),
            "",
        ]
    )


def _rule(threshold: float) -> str:
    """Return what the segmenter makes of a probability."""
    config = SegmenterConfig(finished_threshold=threshold)
    sure, unsure = (
        _probability(threshold, (config.likely_silence_ms - wait_ms) / config.doubt_silence_ms)
        for wait_ms in (config.finished_silence_ms, config.unfinished_silence_ms)
    )
    return (
        "The more likely an end, the less silence ends the utterance: "
        f"{config.finished_silence_ms:g} ms from a probability of {sure:.2f} on, "
        f"{config.likely_silence_ms:g} ms at {threshold:g}, and "
        f"{config.unfinished_silence_ms:g} ms at most, below {unsure:.2f}."
    )


def _probability(threshold: float, log_odds: float) -> float:
    """Return the probability whose log-odds are so far above those of `threshold`."""
    odds = threshold / (1.0 - threshold) * math.exp(log_odds)
    return odds / (1.0 + odds)


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
