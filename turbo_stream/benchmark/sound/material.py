"""What a benchmark listens to: recordings, manifests, or the recording that is in the package."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from turbo_stream._util.timebase import to_seconds
from turbo_stream.benchmark.sound.joining import join_clips
from turbo_stream.benchmark.sound.stream import Stream
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import AUDIO_SUFFIXES, Item, read_manifest
from turbo_stream.evaluation.corpus.spans import read_spans

KITCHEN = Path(__file__).parents[2] / "assets" / "recordings" / "kitchen.ogg"
"""54.6 s with 15 utterances, whose edges stand beside it; see the README there."""

_SPANS_GIVEN = "the spans given with the recording"
_SPANS_JOINED = "energy of the clean clips that were joined"
_SPANS_UNKNOWN = "not known: the end that the segmenter found (end_s of the event)"


@dataclass(frozen=True)
class Material:
    """Streams, and where their truth is from."""

    streams: tuple[Stream, ...]

    truths: tuple[str, ...]
    """How the true end of the speech is known, each way once."""

    clips_left_out: int
    """Clips of manifests that say too little about where their speech is."""


def read_material(paths: Sequence[Path], seconds: float, seed: int = 0) -> Material:
    """Read `paths`: sound files, or manifests as turbo-eval takes them; nothing for `KITCHEN`.

    A sound file may have its `segments` in a JSON file of the same name beside it. A row of a
    manifest with `segments` is a recording, the rows without are clips of one utterance and are
    joined to a stream of about `seconds` (`join_clips`). Of a recording no more than `seconds`
    are read.

    Raises:
        InputError: something cannot be read, or holds nothing that can be used.
    """
    streams: list[Stream] = []
    truths: list[str] = []
    left_out = 0
    for path in paths or [KITCHEN]:
        if path.suffix.lower() in AUDIO_SUFFIXES:
            streams.append(read_recording(path, seconds))
            truths.append(_SPANS_UNKNOWN if streams[-1].spans is None else _SPANS_GIVEN)
            continue
        items = read_manifest(path)
        long = [item for item in items if item.row.get("segments") is not None]
        clips = [item for item in items if item.row.get("segments") is None]
        streams += [_labelled(item, seconds) for item in long]
        truths += [_SPANS_GIVEN] * bool(long)
        if clips:
            joined = join_clips(path.name, clips, seconds, seed)
            streams.append(joined.stream)
            truths.append(_SPANS_JOINED)
            left_out += joined.left_out
    return Material(tuple(streams), tuple(dict.fromkeys(truths)), left_out)


def read_recording(path: Path, seconds: float | None = None) -> Stream:
    """Return the sound file `path`, the first `seconds` of it if given.

    Its spans are those of the JSON file beside it, as far as they were read.

    Raises:
        InputError: one of the two cannot be read.
    """
    beside = path.with_suffix(".json")
    if beside.is_file():
        try:
            row = json.loads(beside.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(
                f"{beside}, which should hold the segments of {path.name}, cannot be read "
                f"({error}); mend it, or move it away"
            ) from error
        if isinstance(row, dict) and "segments" in row:
            return _labelled(Item(0, row | {"audio_filepath": str(path)}, path), seconds)
    return Stream(path.name, read_clip(path, 0.0, seconds), None)


def _labelled(item: Item, seconds: float | None) -> Stream:
    spans = sorted(read_spans(item.row), key=lambda span: span.start_s)
    given = [length for length in (seconds, item.duration_s) if length is not None]
    pcm = read_clip(item.path, item.offset_s, min(given, default=None))
    heard = [span for span in spans if span.end_s <= to_seconds(len(pcm))]
    return Stream(item.path.name, pcm, tuple(heard))
