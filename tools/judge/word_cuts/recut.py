"""The device's name, cut out of utterances that call it and of some that mention it."""

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import soundfile
from rich.console import Console
from rich.progress import track

from tools.judge.word_cuts.alignment import WordAligner
from tools.judge.word_cuts.cut import (
    CutConfig,
    cut_word,
    mark_folds,
    mark_matched,
    mark_shared,
    own_snr_db,
    tightened,
)
from training.data.clip import as_wave
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import Item, read_manifest, write_manifest

CALLED = "alert_words"
MENTIONED = "word_mentions"
SUFFIX = "_recut"
"""After the name of a collection, that of its cuts."""

_KEPT = ("label", "speaker", "group", "style", "lang", "source", "license", "shippable")


def recut(
    manifest: Path,
    out: Path,
    config: CutConfig | None = None,
    *,
    collections: Sequence[str] = (CALLED, MENTIONED),
    test_share: float = 0.5,
    seed: int = 0,
) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Write the cuts and `out`/manifest.jsonl; return its rows, and what was left out and why.

    Raises:
        InputError: the manifest is not readable, or has no usable rows of both classes.
    """
    wanted = [item for item in read_manifest(manifest) if item.row.get("set") in collections]
    skipped: Counter[str] = Counter()
    rows = list(cut_items(wanted, out, config or CutConfig(), skipped))
    if len({row["label"] for row in rows}) < 2:
        names = ", ".join(collections)
        raise InputError(
            f"{manifest}: no words of two classes could be cut from {names}; rows need set, "
            "device_name, and a text that holds that name"
        )
    mark_shared(rows)
    mark_folds(rows, test_share, seed)
    mark_matched(rows, seed)
    write_manifest(out / "manifest.jsonl", rows)
    return rows, skipped


def _stem(item: Item) -> str:
    """Return the file's name, and where in it a later part begins: rows may share a file."""
    return f"{item.path.stem}_{item.part.start}" if item.part.start else item.path.stem


def cut_items(
    items: Sequence[Item], out: Path, config: CutConfig, skipped: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Cut the name out of every item, write it under `out` and yield its row of the manifest.

    What cannot be cut is counted in `skipped` by its collection and reason.
    """
    aligner = WordAligner()
    for item in track(items, "cutting", console=Console(stderr=True)):
        pcm = read_clip(item.path, item.offset_s, item.duration_s)
        word = (item.device_name or "").lower()
        wave = as_wave(pcm)
        span = aligner.find(pcm, item.text or "", word) if word else None
        span = tightened(wave, span, config) if span is not None else None
        collection = item.row["set"]
        if span is None:
            skipped[f"{collection}: the word was not found"] += 1
            continue
        snr_db = own_snr_db(wave, span)
        if snr_db < config.own_snr_db:
            skipped[f"{collection}: its own noise is too loud"] += 1
            continue
        stem = _stem(item)
        target = out / "words" / f"{stem}{SUFFIX}.flac"
        target.parent.mkdir(parents=True, exist_ok=True)
        seed = zlib.crc32(stem.encode("utf-8", "surrogatepass"))
        sound = cut_word(wave, span, seed, config)
        soundfile.write(target, sound, config.sample_rate)
        yield {
            "audio_filepath": str(target),
            "duration": len(sound) / config.sample_rate,
            "text": word,
            "text_source": "gold",
            "device_name": item.device_name,
            "set": f"{collection}{SUFFIX}",
            **{key: item.row.get(key) for key in _KEPT},
            "cut_from": item.row["audio_filepath"],
            "cut_start_s": span.start / config.sample_rate,
            "cut_end_s": span.end / config.sample_rate,
            "own_snr_db": round(snr_db, 1),
        }
