"""lhotse cuts as a JSONL manifest: `python -m training.data.lhotse_manifest CUTS --out FILE`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from turbo_stream._util.files import write_text
from turbo_stream._util.unicode_text import json_text
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from lhotse import CutSet, MonoCut


def rows(cuts: CutSet, label_field: str) -> Iterator[dict[str, Any]]:
    """Yield one manifest row per supervision of every cut (one per cut that has none).

    `offset` and `duration` are those of the supervision within its recording. The label is the
    custom field `label_field` of the supervision, else of the cut; other custom fields of both
    become columns.

    Raises:
        InputError: a cut's sound is not a single file, so that no path can stand for it.
    """
    for cut in cuts:
        for supervision in cut.trimmed_supervisions or [None]:
            custom = {**(cut.custom or {}), **((supervision and supervision.custom) or {})}
            row: dict[str, Any] = {
                "audio_filepath": _path(cut),
                "offset": cut.start + (supervision.start if supervision else 0.0),
                "duration": supervision.duration if supervision else cut.duration,
                "label": custom.pop(label_field, None),
            }
            if supervision is not None:
                row |= {"text": supervision.text, "speaker": supervision.speaker}
                row["language"] = supervision.language
            plain = {k: v for k, v in custom.items() if isinstance(v, (str, int, float, bool))}
            yield {k: v for k, v in {**plain, **row}.items() if v is not None}


def _path(cut: MonoCut) -> str:
    recording = getattr(cut, "recording", None)
    sources = recording.sources if recording is not None else []
    if len(sources) != 1 or sources[0].type != "file":
        kinds = ", ".join(source.type for source in sources) or type(cut).__name__
        raise InputError(
            f"cut {cut.id} takes its sound from {kinds}; save the cuts as single files first "
            "(lhotse: CutSet.save_audios)"
        )
    return str(sources[0].source)


@click.command("training.data.lhotse_manifest")
@click.argument("cuts", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The JSONL manifest.")
@click.option("--label-field", default="label", show_default=True, help="Custom field to read.")
def convert(cuts: Path, out: Path, label_field: str) -> None:
    """Write the cuts of a lhotse manifest (CUTS, .jsonl or .jsonl.gz) as a JSONL manifest."""
    from lhotse import CutSet

    if not cuts.is_file():
        raise InputError(f"{cuts}: no such file; give a lhotse cut manifest")
    try:
        loaded = CutSet.from_file(cuts)
        lines = [json_text(row) + "\n" for row in rows(loaded, label_field)]
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{cuts} is no lhotse cut manifest: {error}") from error
    write_text(out, "".join(lines))
    print(f"{len(lines)} rows: {out}")


if __name__ == "__main__":
    sys.exit(run_command(convert))
