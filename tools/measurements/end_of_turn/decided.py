"""What ending utterances sooner costs in decisions, with the real recognizer and the real model.

python -m tools.measurements.end_of_turn.decided --speech speech.jsonl --noise noise.jsonl
    --asr WHISPER --collections A,B --out DIR

A cut counts by whom it cuts. Of commands: how many are cut in two, how many are accepted, and which
share of their words is in no accepted piece. Of other speech: how many accepts there are an hour,
and how many of these are pieces of something. Each rule hears the same streams.
"""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from tools.measurements.end_of_turn.rules import Rule, silence_rules
from tools.measurements.end_of_turn.streams import Stream, build_streams
from tools.measurements.vad.scenes import read_manifest
from tools.measurements.vad.scores import RecordedVad, listen
from turbo_stream._util.files import write_json
from turbo_stream.cli.command import run_command
from turbo_stream.deciding.decider import Decider
from turbo_stream.pipeline import Models
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import Segment
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad
from turbo_stream.settings import Settings

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_STDERR = Console(stderr=True)
_PATIENT_MS = 1000


@dataclass(frozen=True)
class Heard:
    """One utterance that a rule has found, decided."""

    segment: Segment
    accepted: bool
    words: Counter[str]


@dataclass
class Judge:
    """Decides segments, each sound once whatever rule has cut it out."""

    decider: Decider
    known: dict[bytes, tuple[bool, Counter[str]]] = field(default_factory=dict)

    def decide(self, segment: Segment) -> Heard:
        """Return `segment` with its decision and its words."""
        key = segment.pcm.tobytes()
        if key not in self.known:
            utterance = self.decider.decide(segment)
            text = re.findall(r"[a-z0-9']+", (utterance.text or "").lower())
            self.known[key] = utterance.decision == "accepted", Counter(text)
        return Heard(segment, *self.known[key])


@dataclass
class Counts:
    """What one rule made of the clips of one collection."""

    clips: int = 0
    cut: int = 0
    accepted_clips: int = 0
    accepts: int = 0
    accepted_pieces: int = 0
    words: int = 0
    words_lost: int = 0
    waits_ms: list[float] = field(default_factory=list)

    def add(self, pieces: Sequence[Heard], whole: Counter[str], stop_sample: int) -> None:
        """Count one clip, heard as `pieces`; `whole` are its words, heard in one."""
        self.clips += 1
        self.cut += len(pieces) > 1
        accepted = [piece for piece in pieces if piece.accepted]
        self.accepts += len(accepted)
        self.accepted_pieces += len(accepted) if len(pieces) > 1 else 0
        if accepted:
            self.accepted_clips += 1
            found = sum((piece.words for piece in accepted), Counter[str]())
            self.words += whole.total()
            self.words_lost += (whole - found).total()
        if pieces:
            self.waits_ms.append((pieces[-1].segment.endpoint_sample - stop_sample) / 16)

    def report(self, hours: float) -> dict:
        """Return the figures, JSON-ready; `hours` are those of the streams."""
        waits = self.waits_ms or [float("nan")]
        return {
            "clips": self.clips,
            "cut": self.cut,
            "accepted_clips": self.accepted_clips,
            "accepts": self.accepts,
            "accepts_an_hour": self.accepts / hours,
            "accepted_pieces": self.accepted_pieces,
            "words_of_accepted": self.words,
            "words_lost": self.words_lost,
            "wait_ms": {f"p{q}": round(float(np.percentile(waits, q)), 1) for q in (50, 95)},
        }


def _clips(rule: Rule, stream: Stream, heard: RecordedVad, judge: Judge) -> dict[int, list[Heard]]:
    """Return what `rule` finds in `stream`, by the clip that it overlaps most."""
    heard.reset()
    scorer = judge.decider.sound_scorer if rule.judged else None
    segmenter = Segmenter(heard, rule.config, scorer)
    found: dict[int, list[Heard]] = {}
    for output in segmenter.process(stream.scene.pcm) + segmenter.flush():
        if not isinstance(output, Segment) or output.dropped is not None:
            continue
        shares = [
            min(output.end_sample, span.stop) - max(output.start_sample, span.start)
            for span in stream.scene.spans
        ]
        if max(shares) > 0:
            found.setdefault(int(np.argmax(shares)), []).append(judge.decide(output))
    return found


def _rules(threshold: float) -> list[Rule]:
    fixed = next(rule for rule in silence_rules() if rule.name == "fixed 600")
    patient = SegmenterConfig(
        end_silence_ms=_PATIENT_MS,
        end_silence_min_ms=_PATIENT_MS,
        end_silence_max_ms=_PATIENT_MS,
    )
    product = SegmenterConfig(finished_threshold=threshold)
    return [
        Rule("patient", "", patient),
        fixed,
        Rule("turbo", "", product, judged=True),
    ]


def _names(context: click.Context, option: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


@click.command("tools.measurements.end_of_turn.decided", help=__doc__)
@click.option("--speech", "manifests", multiple=True, required=True, type=_FILE)
@click.option("--noise", required=True, type=_FILE)
@click.option("--asr", required=True, help="As of turbo-listen.")
@click.option("--collections", required=True, callback=_names, help="A,B.")
@click.option("--per-set", default=36, show_default=True, help="Recordings of each collection.")
@click.option("--model", type=click.Path(path_type=Path), help="Package.  [default: the shipped]")
@click.option("--clean-only", is_flag=True, help="Without the streams in noise.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--seed", default=1, show_default=True)
def main(
    manifests: tuple[Path, ...],
    noise: Path,
    asr: str,
    collections: tuple[str, ...],
    per_set: int,
    model: Path | None,
    clean_only: bool,
    out: Path,
    seed: int,
) -> None:
    """Run the comparison."""
    rows = [row for path in manifests for row in read_manifest(path)]
    streams = build_streams(rows, read_manifest(noise), collections, per_set, seed)
    if clean_only:
        streams = [stream for stream in streams if stream.scene.condition == "clean"]
    models = Models.load(Settings(model=model, asr=asr, show_rejected=True, turn_before_s=0))
    judge = Judge(models.stream().decider)
    threshold = models.package.finished_threshold
    rules = _rules(0.5 if threshold is None else threshold)
    counts: dict[tuple[str, str, str], Counts] = {}
    hours: dict[tuple[str, str], float] = defaultdict(float)
    for stream in track(streams, "listening", console=_STDERR):
        heard = listen(load_vad(DEFAULT_VAD), stream.scene)[0]
        key = stream.scene.condition, stream.collection
        hours[key] += stream.scene.pcm.size / 16_000 / 3600
        patient: dict[int, list[Heard]] = {}
        for rule in rules:
            found = _clips(rule, stream, heard, judge)
            patient = patient or found
            for index, span in enumerate(stream.scene.spans):
                whole = sum((one.words for one in patient.get(index, [])), Counter[str]())
                tally = counts.setdefault((*key, rule.name), Counts())
                tally.add(found.get(index, []), whole, span.stop)
    report = {
        condition: {
            collection: {
                rule.name: counts[condition, collection, rule.name].report(
                    hours[condition, collection]
                )
                for rule in rules
            }
            for where, collection in hours
            if where == condition
        }
        for condition, _ in hours
    }
    write_json(out / "decided.json", report)
    print(_table(report))


def _table(report: dict) -> str:
    lines = [
        "| condition | collection | rule | clips | cut | accepted | accepts an hour "
        "| of these pieces | words lost of accepted | wait p50 / p95 ms |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for condition, by_collection in report.items():
        for collection, by_rule in by_collection.items():
            for rule, found in by_rule.items():
                wait = found["wait_ms"]
                cells = [
                    condition,
                    collection,
                    rule,
                    found["clips"],
                    found["cut"],
                    found["accepted_clips"],
                    f"{found['accepts_an_hour']:.0f}",
                    found["accepted_pieces"],
                    f"{found['words_lost']} of {found['words_of_accepted']}",
                    f"{wait['p50']:.0f} / {wait['p95']:.0f}",
                ]
                lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_command(main))
