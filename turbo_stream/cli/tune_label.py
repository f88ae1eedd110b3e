"""`turbo-tune label`: its options, and what it says."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import click

from turbo_stream.cli.output import say
from turbo_stream.errors import InputError


@click.command("label")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to write.",
)
@click.option("--name", metavar="NAME", help="What the device is called.")
@click.option(
    "--test-share",
    type=click.FloatRange(0, 0.5),
    default=0.25,
    show_default=True,
    metavar="SHARE",
    help="Share of the recordings, by whole speakers, that is kept for the test.",
)
def label(folder: Path, out: Path, name: str | None, test_share: float) -> None:
    """Write train.jsonl and test.jsonl of the recordings in FOLDER, and say what is wrong there.

    FOLDER has a folder directed and a folder not_directed; a folder below them, or a file's name up
    to its first _, is the speaker. What is said may stand in a .txt beside the sound.
    """
    if find_spec("sklearn") is None:
        raise InputError("turbo-tune label needs sklearn: pip install 'turbo-listen[eval]'")
    from rich.console import Console
    from rich.progress import track

    from turbo_stream.evaluation.labelling.folder import read_folder, write_manifests
    from turbo_stream.evaluation.labelling.recording import LABELS

    console = Console(stderr=True)
    recordings, skipped = read_folder(
        folder, partial(track, description="reading", console=console)
    )
    with console.status("listening to the channel"):
        written = write_manifests(out, recordings, skipped, device_name=name, test_share=test_share)
    for path, counts in written.parts.items():
        say(f"{path}: {', '.join(f'{one} {counts[one]}' for one in LABELS)}")
    if (auc := written.channel_auc) is not None:
        say(f"content-free probe: AUC {auc:.2f} (0.5: the channel says nothing of the class)")
    for item in skipped:
        say(f"left out: {item.path} {item.why}")
    for line in written.warnings:
        say(f"warning: {line}")
