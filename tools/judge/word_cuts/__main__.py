"""Command line: `python -m tools.judge.word_cuts MANIFEST --out DIR`."""

import json
import sys
from collections import Counter
from pathlib import Path

import click

from tools.judge.word_cuts.cut import CutConfig
from tools.judge.word_cuts.recut import CALLED, MENTIONED, recut
from turbo_stream.cli.command import run_command


@click.command("tools.judge.word_cuts")
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--called", default=CALLED, show_default=True, help="Collection that calls the name.")
@click.option("--mentioned", default=MENTIONED, show_default=True, help="One that mentions it.")
@click.option(
    "--test-share",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0.0, 1.0),
    help="Share of the callers with both classes whose rows are marked as test.",
)
@click.option("--margin-ms", default=CutConfig.margin_ms, show_default=True)
@click.option("--snr-db", default=CutConfig.snr_db, show_default=True)
@click.option("--seed", default=0, show_default=True)
def main(
    manifest: Path,
    out: Path,
    called: str,
    mentioned: str,
    test_share: float,
    margin_ms: float,
    snr_db: float,
    seed: int,
) -> None:
    """Cut words out of MANIFEST so that only how they are said tells the classes apart."""
    config = CutConfig(margin_ms=margin_ms, snr_db=snr_db)
    sides = (called, mentioned)
    rows, skipped = recut(
        manifest, out, config, collections=sides, test_share=test_share, seed=seed
    )
    counted = Counter((row["set"], row["fold"]) for row in rows)
    summary = {
        "manifest": str(out / "manifest.jsonl"),
        "cuts": {f"{name}, {fold}": count for (name, fold), count in sorted(counted.items())},
        "shared_groups": len({row["group"] for row in rows if row["shared"]}),
        "matched": sum(row["matched"] for row in rows),
        "left_out": dict(sorted(skipped.items())),
    }
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    sys.exit(run_command(main))
