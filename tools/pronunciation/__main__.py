"""Command line: `python -m tools.pronunciation COMMAND ...`, the tables of how words sound."""

import json
import sys
from pathlib import Path
from zlib import crc32

import click

from turbo_stream.cli.command import run_command

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("tools.pronunciation", invoke_without_command=True)
@click.pass_context
def main(context: click.Context) -> None:
    """Learn how letters sound, or which sounds a recognizer confuses."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@main.command("letters")
@click.argument("dictionary", type=_FILE)
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--gain", default=2, show_default=True, help="Letters that a context makes right.")
@click.option("--aligned-from", default=15_000, show_default=True, help="Words to align first.")
def letters(dictionary: Path, out: Path, gain: int, aligned_from: int) -> None:
    """Write the table of DICTIONARY to OUT, and print its errors on words held out."""
    from tools.pronunciation.letters import asset, dictionary_words, error_rates, learn, split
    from turbo_stream._util.files import write_text

    known, held_out = split(dictionary_words(dictionary))
    table = learn(known, gain=gain, aligned_from=aligned_from)
    write_text(out, json.dumps(asset(table), indent=0) + "\n")
    report = {"contexts": len(table), "bytes": out.stat().st_size}
    print(json.dumps(report | error_rates(held_out, table)))


@main.command("confusions")
@click.argument("readings", type=_FILE)
@click.option("--belief", default=200.0, show_default=True, help="Changes that features are worth.")
@click.option("--share", default=2, show_default=True, help="One group in so many is not used.")
def confusions(readings: Path, belief: float, share: int) -> None:
    """Print the costs that READINGS teach: a JSONL of `text`, `asr_text`, `group` and `names`.

    What touches a word of `names` is left out, so that these names can be reported on.
    """
    from tools.pronunciation.confusions import asset, learn, misheard

    rows = [json.loads(line) for line in readings.read_text("utf-8").splitlines()]
    pairs = [
        pair
        for row in rows
        if crc32(str(row["group"]).encode()) % share
        for pair in misheard(row["text"], row["asr_text"], row.get("names", ()))
    ]
    costs, changes = learn(pairs, belief=belief)
    print(json.dumps(asset(costs)))
    print(f"{len(rows)} rows, {changes.pairs} misheard passages", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(run_command(main))
