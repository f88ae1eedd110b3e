"""How well a frozen text encoder tells directed words on pairs of collections, topic new or known.

python -m tools.measurements.text_teacher ENCODER TEXTS --manifest FILE --heard FILE --out DIR
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tools.measurements.text_teacher.lines import Drawn, drawn_lines, training_lines
from tools.measurements.text_teacher.vectors import Encoder, kept_vectors
from training.data.hypotheses import read_hypotheses
from training.data.manifest import read_manifest, read_texts
from training.data.row import Row, text_key
from training.fitting.metrics import bootstrap_eer, equal_error_rate
from training.folds.split import PAIRS
from turbo_stream.cli.command import run_command

LABELS = ("not_directed", "directed")
_SEEDS, _SHARE = 3, 0.8
"""Heads, each fitted to a random part of the lines."""


def heard_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the English recordings in which a recognizer heard a word."""
    english = [row for row in rows if row.columns.get("lang", "en").startswith("en")]
    return [row for row in english if row.hypotheses and text_key(row.hypotheses[0].text)]


def recordings(manifests: Iterable[Path], heard: Iterable[Path]) -> list[Row]:
    """Return the rows of `manifests` with what recognizers heard."""
    hypotheses = read_hypotheses(heard)
    return [row for path in manifests for row in read_manifest(path, LABELS, hypotheses)]


def cells(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the mean error of each pair, with its interval, as a person reads it."""
    return [
        f"{np.mean(row['eer']):.1%} ({row['ci95'][0]:.1%} to {row['ci95'][1]:.1%})"
        for row in found.values()
    ]


def of_pair(rows: Sequence[Row], pair: str) -> NDArray[np.intp]:
    """Return the places of the rows of `pair`, `A,B`: the directed of A, the others of B."""
    wanted = set(zip(pair.split(","), (1, 0), strict=True))
    return np.flatnonzero([(row.collection, row.label) in wanted for row in rows])


def head_scores(lines: NDArray, labels: NDArray, tests: NDArray, seed: int) -> NDArray[np.float64]:
    """Return the log-odds of `tests` by a logistic regression on a part of `lines`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chosen = np.random.default_rng(seed).permutation(len(lines))[: int(_SHARE * len(lines))]
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=200))
    head.fit(lines[chosen], labels[chosen])
    found: NDArray[np.float64] = head.decision_function(tests)
    return found


def figures(
    rows: Sequence[Row], lines: Sequence[Drawn], vectors: NDArray, tests: NDArray
) -> dict[str, dict[str, Any]]:
    """Return by pair the equal error rates of the heads, and the interval of their mean score."""
    labels = np.array([line.label for line in lines])
    scores = [head_scores(vectors, labels, tests, seed) for seed in range(_SEEDS)]
    found: dict[str, dict[str, Any]] = {}
    for pair in PAIRS:
        at = of_pair(rows, pair)
        truth = np.array([rows[i].label == 1 for i in at])
        groups = np.array([rows[i].group for i in at])
        found[pair] = {
            "n": len(at),
            "eer": [equal_error_rate(truth, values[at]) for values in scores],
            "ci95": bootstrap_eer(truth, np.mean(scores, 0)[at], groups, draws=200),
        }
    return found


@click.command("tools.measurements.text_teacher")
@click.argument("encoder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("texts", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--manifest", multiple=True, required=True, type=click.Path(path_type=Path))
@click.option("--heard", multiple=True, type=click.Path(path_type=Path), help="predictions.jsonl")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Vectors, kept.")
@click.option("--layer", "layers", multiple=True, type=int, default=(9,), show_default=True)
@click.option("--count", type=click.IntRange(20), default=6000, show_default=True, help="Lines.")
def main(
    encoder: Path,
    texts: Path,
    manifest: tuple[Path, ...],
    heard: tuple[Path, ...],
    out: Path,
    layers: tuple[int, ...],
    count: int,
) -> None:
    """Fit heads to lines of TEXTS in the states of ENCODER, score words of pairs never met."""
    spoken = recordings(manifest, heard)
    rows = heard_rows(spoken)
    every = read_texts(texts, LABELS, set())
    made = Encoder(encoder, layers)
    tests = kept_vectors(made, [text_key(r.hypotheses[0].text) for r in rows], out)
    found = {}
    table = Table("lines", *PAIRS)
    for name, topics in (("all", True), ("no topic of a test", False)):
        lines = drawn_lines(training_lines(every, spoken, topics=topics), 1, count, topics=topics)
        vectors = kept_vectors(made, [line.text for line in lines], out)
        shapes = (part.reshape(len(part), -1) for part in (vectors, tests))
        found[name] = figures(rows, lines, *shapes)
        table.add_row(name, *cells(found[name]))
    Console(stderr=True).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
