"""False accepts an hour and missed calls of each way to be addressed, over thresholds.

python -m tools.measurements.addressing --recorded FOLDER --out DIR [--peers FOLDER]

Applies each mode to what `tools.measurements.addressing.record` wrote, and counts what the engines
of `tools.measurements.addressing.peers` found in the same streams. Writes `DIR/addressing.md`,
`DIR/addressing.png` and `DIR/errors.jsonl`; the last holds texts, keep it with the recordings.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from tools.measurements.addressing.figures import Share
from tools.measurements.addressing.replay import clip_of, text_of
from tools.measurements.addressing.report import (
    CALLS,
    CONVERSATION_S,
    MODES,
    OTHERS,
    TALK,
    UNNAMED,
    Collection,
    accepts,
    at_rate,
    by_name,
    by_place,
    collections,
    curve,
    missed,
    peers,
    shares,
    talk,
)
from tools.measurements.addressing.table import draw, markdown
from turbo_stream._util.files import write_text
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import ModelPackage
from turbo_stream.errors import InputError

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)

_RATES = (0.5, 1, 2, 5, 10, 20)


@click.command("tools.measurements.addressing", help=__doc__)
@click.option("--recorded", required=True, type=_FOLDER)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--peers", "heard", type=_FOLDER, help="What engines found in the same streams.")
@click.option("--new", multiple=True, metavar="NAME", help="Names that nothing was chosen on.")
@click.option("--threshold", type=float, help="Accept from here on.  [default: the package's]")
def main(
    recorded: Path, out: Path, heard: Path | None, new: tuple[str, ...], threshold: float | None
) -> None:
    """Make the tables and the picture."""
    found = collections(recorded)
    if not found:
        raise InputError(f"{recorded} holds no recorded stream; make them with the recorder")
    if threshold is None:
        threshold = ModelPackage.load(None).threshold(None)
    report, curves = _report(found, threshold, new)
    report["peers"] = peers(heard, found) if heard else []
    curves |= _peer_curves(report["peers"])
    out.mkdir(parents=True, exist_ok=True)
    text = markdown(report)
    write_text(out / "addressing.md", text + "\n")
    draw(curves, out / "addressing.png")
    lines = (json.dumps(row) + "\n" for row in _errors(found, threshold))
    write_text(out / "errors.jsonl", "".join(lines))
    print(text)


def _report(
    found: Sequence[Collection], threshold: float, new: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    calls = [one for one in found if one.set in CALLS and one.label == "directed"]
    others = [one for one in found if one.set in OTHERS and one.label != "directed"]
    unnamed = [one for one in found if one.set in UNNAMED]
    idle = [one for one in found if one.set in TALK]
    parts: dict[str, dict[str, Share]] = {}
    for one in (*calls, *others):
        what = "missed" if one in calls else "accepted"
        for part, share in {**by_name(one, threshold), **by_place(one, threshold)}.items():
            counted = missed(share) if one in calls else share
            parts.setdefault(f"{_title(one)}, {part}", {})[what] = counted
    report = {
        "talk": {f"{one.set}, {one.hours:.2f} h": talk(one, threshold, new) for one in idle},
        "calls": {_title(one): _all_missed(shares(one, threshold)) for one in calls},
        "others": {_title(one): shares(one, threshold) for one in others},
        "unnamed": {_title(one): _all_missed(_with_open(one, threshold)) for one in unnamed},
        "parts": parts,
        "points": [],
    }
    curves: dict[str, list[dict[str, float]]] = {}
    dialogue = next((one for one in idle if one.set == TALK[0]), None)
    if dialogue is not None:
        for condition in dict.fromkeys(one.condition for one in calls):
            alike = [one for one in calls if one.condition == condition]
            curves[f"named, calls, {condition}"] = curve("named", dialogue, alike)
        if unnamed:
            curves["named-or-sure, no name said"] = curve("named-or-sure", dialogue, unnamed)
            curves["open, no name"] = curve("open", dialogue, unnamed, "")
    report["points"] = [
        {"of": name, "an_hour": rate, "found": at_rate(points, rate)}
        for name, points in curves.items()
        for rate in _RATES
    ]
    return report, curves


def _title(one: Collection) -> str:
    return f"{one.set}, {one.condition}"


def _all_missed(found: Mapping[str, Share]) -> dict[str, Share]:
    return {name: missed(share) for name, share in found.items()}


def _with_open(one: Collection, threshold: float) -> dict[str, Share]:
    found = shares(one, threshold)
    decide = accepts("open", threshold, 0.0)
    heard = sum(
        len({clip_of(stream, stream.utterances[n]) for n in decide(stream, "")} - {None})
        for stream in one.streams
    )
    clips = sum(len(stream.clips) for stream in one.streams)
    return {**found, "open, no name": Share(heard, clips)}


def _peer_curves(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, float]]]:
    """Return each engine's words together: misses of clean wake words, and dialogue's hits."""
    found: dict[str, list[dict[str, float]]] = {}
    for engine, setting in dict.fromkeys((row["engine"], row["setting"]) for row in rows):
        mine = [row for row in rows if (row["engine"], row["setting"]) == (engine, setting)]
        calls = [r for r in mine if r["set"] == "wake_words" and r["condition"] == "clean"]
        idle = [row for row in mine if row["set"] == TALK[0]]
        words = {row["word"] for row in calls} & {row["word"] for row in idle}
        lost = [row["missed"] for row in calls if row["word"] in words]
        false = [row["false"] for row in idle if row["word"] in words]
        if words:
            point = {
                "an_hour": sum(r.count for r in false) / sum(r.hours for r in false),
                "missed": sum(s.count for s in lost) / sum(s.of for s in lost),
            }
            found.setdefault(f"engine {engine}, {', '.join(sorted(words))}", []).append(point)
    return found


def _errors(found: Sequence[Collection], threshold: float) -> Iterator[dict[str, Any]]:
    """Yield what was accepted or missed wrongly, with the text that was read."""
    for one in found:
        for mode in MODES:
            conversation = CONVERSATION_S if one.set in TALK else 0.0
            decide = accepts(mode, threshold, conversation)
            for stream in one.streams:
                for name in stream.names:
                    accepted = decide(stream, name)
                    places = [clip_of(stream, row) for row in stream.utterances]
                    heard = {places[number] for number in accepted}
                    for number, row in enumerate(stream.utterances):
                        place = places[number]
                        if one.label == "directed":
                            right = place is None or place in heard
                        else:
                            right = number not in accepted
                        if right:
                            continue
                        yield {
                            "mode": mode,
                            "set": _title(one),
                            "name": name,
                            "said": None if place is None else stream.clips[place]["text"],
                            "first": row["text"],
                            "told": row["of"][name].get("told"),
                            "read": text_of(row, name),
                            "use": row["of"][name]["use"],
                            "score": round(row["of"][name]["score"], 3),
                            "sound": row["sound"],
                        }


if __name__ == "__main__":
    sys.exit(run_command(main))
