"""Command line: `python -m training.end_of_turn RUN --out DIR --manifest FILE ...`.

Gives a trained network a head that hears whether a speaker has finished or only paused. Nothing
else of the network changes. `tools.export` then writes a package that can end utterances sooner.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from safetensors import SafetensorError
from tokenizers import Tokenizer

from models.end_of_turn import EndOfTurn
from models.turbo import Turbo
from training.data.augment import AugmentConfig, Surroundings, through_channel
from training.data.clip import Wave, read_wave
from training.data.config import DataConfig
from training.data.manifest import read_manifest
from training.data.row import Row
from training.end_of_turn.pauses import Pause, find_pauses
from training.end_of_turn.turn_head import HeadConfig, Heard, fit_head, head_logits, pause_figures
from training.end_of_turn.windows import as_given, window_rows
from training.fitting.checkpoint import load_model, save_weights, write_json
from training.fitting.recipe import Recipe
from training.fitting.workbench import surroundings
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.held_out import stable_share
from turbo_stream.segmentation.smart_turn import SmartTurn

_STDERR = Console(stderr=True)

_CHANNELS = {"pause": 3, "end": 1, "break": 1}
"""Random channels through which a pause of each kind is heard, beside the recording as it is: real
pauses are few."""

_HELD_SHARE = 0.1
"""Groups kept from the training to find the threshold on."""


def _pauses_of(row: Row, breaks: int, blind: frozenset[str]) -> list[Pause]:
    seed = int(stable_share(row.clip.name) * 2**32)
    ends = row.collection not in blind
    return find_pauses(read_wave(row.clip), np.random.default_rng(seed), breaks=breaks, ends=ends)


def hear(
    model: Turbo,
    rows: Sequence[Row],
    around: Surroundings,
    *,
    breaks: int,
    blind: frozenset[str] = frozenset(),
    teacher: SmartTurn | None = None,
    bf16: bool = False,
    seed: int = 0,
) -> Iterator[Heard]:
    """Yield the pauses of `rows` as the head hears them: as recorded, and through random channels.

    `blind` are collections whose recordings stop anywhere.
    """
    rng = np.random.default_rng(seed)
    config = AugmentConfig()
    for row in track(rows, "listening", console=_STDERR):
        pauses = _pauses_of(row, breaks, blind)
        waves: list[Wave] = []
        for pause in pauses:
            channels = 0 if row.synthetic else _CHANNELS[pause.kind]
            waves.append(pause.wave)
            waves += [through_channel(pause.wave, rng, config, around) for _ in range(channels)]
        if not waves:
            continue
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            windows = iter(window_rows(model, [as_given(model, wave) for wave in waves]))
        for pause in pauses:
            taught = None
            # Nobody takes a break for an end: the teacher's time goes to what is in doubt.
            if teacher is not None and pause.kind != "break":
                pcm = np.round(pause.wave * 32_767.0).astype(np.int16)
                taught = teacher.score_pause(pcm).finished_probability
            channels = 0 if row.synthetic else _CHANNELS[pause.kind]
            for index in range(1 + channels):
                yield Heard(next(windows), pause.kind, row.collection, row.group, index > 0, taught)


def _rows(manifests: Sequence[Path], exclude: frozenset[str], labels: tuple[str, ...]) -> list[Row]:
    """Return the recordings that shipped weights may learn from, once each."""
    rows = [row for path in manifests for row in read_manifest(path, labels, {})]
    kept = {
        row.clip: row
        for row in rows
        if row.shippable and row.fold != "test" and row.collection not in exclude
    }
    return list(kept.values())


def _figures(head: EndOfTurn, heard: Sequence[Heard]) -> dict:
    """Return the threshold and the figures of `head` on real ends and pauses it never heard."""
    real = [item for item in heard if item.kind != "break"]
    scores = head_logits(head, real) if real else np.zeros(0)
    finished = np.array([item.kind == "end" for item in real], bool)
    recorded = np.array([not item.channel for item in real], bool)
    return {
        "as_recorded": pause_figures(finished[recorded], scores[recorded]),
        "through_a_channel": pause_figures(finished[~recorded], scores[~recorded]),
    }


def _taught(heard: Sequence[Heard]) -> list[dict]:
    counts = Counter((item.collection, item.kind) for item in heard if not item.channel)
    return [
        {
            "collection": name,
            **{f"{kind}s": counts[name, kind] for kind in ("end", "pause", "break")},
        }
        for name in sorted({name for name, _ in counts})
    ]


def _write(
    out: Path, source: Path, model: Turbo, tokenizer: Tokenizer, head: EndOfTurn, found: dict
) -> None:
    """Write the run in `source` with the head: what `tools.export` makes a package of."""
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text("utf-8"))
    config["model"]["end_of_turn"] = head.entry.out_features
    extended = Turbo(replace(model.config, end_of_turn=head.entry.out_features))
    weights = model.state_dict()
    weights |= {f"end_of_turn.{name}": value for name, value in head.state_dict().items()}
    extended.load_state_dict(weights)
    save_weights(out, extended)
    write_json(out / "config.json", config)
    tokenizer.save(str(out / "tokenizer.json"))
    if (source / "origin.json").exists():
        write_json(out / "origin.json", json.loads((source / "origin.json").read_text("utf-8")))
    metrics = json.loads((source / "metrics.json").read_text("utf-8"))
    write_json(out / "metrics.json", {**metrics, "end_of_turn": found})


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _names(context: click.Context, option: click.Parameter, text: str) -> frozenset[str]:
    return frozenset(part for part in text.split(",") if part)


@click.command("training.end_of_turn")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run to write.")
@click.option("--manifest", "manifests", multiple=True, required=True, type=_FILE)
@click.option("--noise", type=_FILE, help="Manifest of noise to hear the pauses in.")
@click.option("--rooms", type=_FILE, help="Manifest of room responses.")
@click.option(
    "--blind", default="", callback=_names, help="Collections whose clips stop anywhere: A,B."
)
@click.option("--exclude", default="", callback=_names, help="Collections not to learn from: A,B.")
@click.option(
    "--leave-out",
    multiple=True,
    metavar="A,B",
    help="Also train without these collections, into DIR/without-A-B, to be measured on them.",
)
@click.option("--teacher", type=_FILE, help="smart-turn's ONNX file, to learn from as well.")
@click.option("--threshold", type=click.FloatRange(0, 1), default=0.7, show_default=True)
@click.option("--hidden", default=64, show_default=True, help="Width of the head.")
@click.option("--steps", default=600, show_default=True, help="Optimizer steps.")
@click.option("--breaks", default=2, show_default=True, help="Breaks of a recording at most.")
@click.option("--seed", default=0, show_default=True)
@click.option("--bf16", is_flag=True, help="Compute frames in bfloat16: faster with AMX.")
@click.option("--threads", default=1, show_default=True)
def main(
    run: Path,
    out: Path,
    manifests: tuple[Path, ...],
    noise: Path | None,
    rooms: Path | None,
    blind: frozenset[str],
    exclude: frozenset[str],
    leave_out: tuple[str, ...],
    teacher: Path | None,
    threshold: float,
    hidden: int,
    steps: int,
    breaks: int,
    seed: int,
    bf16: bool,
    threads: int,
) -> None:
    """Give the network of RUN an end-of-turn head, learnt from the pauses of recordings."""
    torch.set_num_threads(threads)
    try:
        model, tokenizer = load_model(run)
        rows = _rows(manifests, exclude, model.config.labels)
        data = DataConfig(noise=str(noise or ""), rooms=str(rooms or ""))
        around = surroundings(Recipe(data=data))
        judge = None if teacher is None else SmartTurn(teacher)
        heard = list(
            hear(
                model,
                rows,
                around,
                breaks=breaks,
                blind=blind,
                teacher=judge,
                bf16=bf16,
                seed=seed,
            )
        )
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{run} holds no finished training run ({error}); give the out=DIR of one"
        ) from error
    if {item.kind == "end" for item in heard} != {True, False}:
        raise InputError(
            "no ends or no pauses were found in the recordings; give recordings of whole sentences"
        )
    config = HeadConfig(hidden=hidden, steps=steps, seed=seed)
    width = model.audio_front.width
    held = [item for item in heard if stable_share(item.group) < _HELD_SHARE]
    known = [item for item in heard if stable_share(item.group) >= _HELD_SHARE]
    found: dict = {
        "threshold": threshold,
        "teacher": None if teacher is None else teacher.name,
        "data": _taught(heard),
        "held_out_speakers": _figures(fit_head(known, width, config), held) if held else None,
        "held_out_collections": {},
    }
    for names in leave_out:
        left = frozenset(names.split(","))
        met = [item for item in heard if item.collection not in left]
        head = fit_head(met, width, config)
        figures = _figures(head, [item for item in heard if item.collection in left])
        found["held_out_collections"][names] = figures
        without = {
            "threshold": threshold,
            "data": _taught(met),
            "left_out": sorted(left),
            "unheard": figures,
        }
        _write(out / f"without-{'-'.join(sorted(left))}", run, model, tokenizer, head, without)
    _write(out, run, model, tokenizer, fit_head(heard, width, config), found)
    show(str(out), found, as_json=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
