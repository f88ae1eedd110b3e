"""Command line: `python -m tools.recognizers COMMAND ...`, recognizers for tests and devices."""

import json
import sys
from pathlib import Path

import click

from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("tools.recognizers", invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Make a Whisper folder or a PocketSphinx language model."""
    if context.invoked_subcommand is None:
        print(context.get_help())


# Each command imports its own libraries: torch for one, PocketSphinx for another.


@main.command("test-whisper")
@click.option("--out", type=_FOLDER, required=True, help="Folder to write.")
@click.option("--minutes", default=25.0, show_default=True, help="Wall-clock time to train.")
@click.option("--seed", default=0, show_default=True)
@click.option("--threads", default=1, show_default=True)
def test_whisper(out: Path, minutes: float, seed: int, threads: int) -> None:
    """Train the real, very small Whisper that the tests load, for MINUTES; Ctrl-C ends sooner."""
    from tools.recognizers.test_whisper.train import train_test_whisper

    print(train_test_whisper(out, minutes=minutes, seed=seed, threads=threads))


@main.command("random-whisper")
@click.option(
    "--shape",
    type=click.Choice(["tiny.en", "base.en", "small.en"]),
    default="tiny.en",
    show_default=True,
)
@click.option("--out", type=_FOLDER, required=True, help="Folder to write.")
@click.option(
    "--tokens",
    type=click.IntRange(1, 200),
    default=8,
    show_default=True,
    help="Tokens in every text; English has about three in a second of speech.",
)
def random_whisper(shape: str, out: Path, tokens: int) -> None:
    """Write a Whisper folder that costs what a real model of this shape does, and knows nothing."""
    from tools.recognizers.random_whisper import write_random_whisper

    size_mb = write_random_whisper(shape, out, tokens)
    print(json.dumps({"out": str(out), "tokens": tokens, "size_mb": round(size_mb, 1)}))


@main.command("whisper-encoder")
@click.argument("whisper", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=_FOLDER, required=True, help="Folder to write.")
def whisper_encoder(whisper: Path, out: Path) -> None:
    """Write the encoder of the CTranslate2 folder WHISPER as one to train on."""
    from tools.recognizers.whisper_encoder import write_encoder

    try:
        write_encoder(whisper, out)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(str(error)) from error
    print(json.dumps({"encoder": str(out)}))


@main.command("pocketsphinx-lm")
@click.argument("texts", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=_FOLDER, required=True, help="Folder to write.")
@click.option("--words", default=20_000, show_default=True, help="Size of the vocabulary.")
@click.option("--bigrams", default=300_000, show_default=True, help="Pairs kept.")
@click.option("--trigrams", default=200_000, show_default=True, help="Triples kept.")
@click.option("--weight", type=float, help="Share of the texts; chosen on held-out text if absent.")
def pocketsphinx_lm(
    texts: tuple[Path, ...],
    out: Path,
    words: int,
    bigrams: int,
    trigrams: int,
    weight: float | None,
) -> None:
    """Build a language model of TEXTS (JSONL with `text`) and of the one in PocketSphinx."""
    from tools.recognizers.pocketsphinx_lm.build import build_model

    report = build_model(texts, out, words=words, bigrams=bigrams, trigrams=trigrams, weight=weight)
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(run_command(main))
