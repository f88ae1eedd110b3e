"""Command line: leave a pair of collections out, train, and score what was never heard.

python -m training.crossval.pairs RECIPE out=DIR data.manifest=FILE ... [--pair A,B]

A is directed and B is not. A pair is a fold: what its recordings say is left out with them, and the
development set of the fixed ones (the folds `rej`) is that of their fold.
"""

import sys
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from training.crossval.pair_scores import PAIRS_FILE, SCORES, margin_key, run_folder
from training.data.clip import read_wave
from training.data.features import AS_RECORDED
from training.data.row import Row
from training.fitting.checkpoint import write_json
from training.fitting.metrics import bootstrap_eer, summary
from training.fitting.recipe import RECIPES, Recipe, build_recipe
from training.fitting.runs import train_run
from training.fitting.scoring import margin
from training.fitting.workbench import load_rows, prepare
from training.folds.split import PAIRS
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.figures.content_free import probe_scores


def held_rows(recipe: Recipe, pair: tuple[str, str]) -> list[Row]:
    """Return the rows of both collections, unshippable ones too: they are only measured."""
    rows = load_rows(replace(recipe, data=replace(recipe.data, exclude=(), text="")))
    directed = recipe.model.labels.index("directed")
    wanted = {(pair[0], True), (pair[1], False)}
    return [row for row in rows if (row.collection, row.label == directed) in wanted]


def without_pair(recipe: Recipe, pair: tuple[str, str], out: Path) -> Recipe:
    """Return `recipe` with `pair` as the test of its fold, and everything of it left out.

    A pair that is no fold of `rej` gets a fold file in `out`; there a share of the other
    recordings chooses the weights.
    """
    text = ",".join(pair)
    if text in PAIRS:
        data = replace(recipe.data, folds="rej", fold=PAIRS.index(text))
        return replace(recipe, data=data)
    content = {
        "name": " × ".join(pair),
        "column": "set",
        "folds": [{"test": [f"{pair[0]}:directed", f"{pair[1]}:not_directed"]}],
        "dev": {"share": recipe.data.dev_share, "by": "group"},
        "keep_apart": ["group", "set"],
    }
    path = out / f"{run_folder(out, pair).name}.json"
    out.mkdir(parents=True, exist_ok=True)
    write_json(path, content)
    return replace(recipe, data=replace(recipe.data, folds=str(path), fold=0))


def score_pair(recipe: Recipe, pair: tuple[str, str], folder: Path) -> dict:
    """Score the model in `folder` on a pair of collections, beside the probe.

    What needs text is measured on the rows that a recognizer has heard: true words of one
    collection against a recognizer's of the other would tell the collections apart. The figures
    of all rows, which need none, stand under `all`.
    """
    rows = held_rows(recipe, pair)
    bench = prepare(replace(recipe, init=str(folder)))
    directed = bench.recipe.model.labels.index("directed")
    clips = [row.clip for row in rows]
    bench.store.fill(bench.model.eval(), [(clip, AS_RECORDED) for clip in clips])
    logits = bench.scorer(recipe.data)(bench.model, rows)
    labels = np.array([row.label == directed for row in rows])
    groups = np.array([row.group for row in rows])
    heard = np.array([bool(row.hypotheses) for row in rows])
    scores = {mode: margin(values, directed) for mode, values in logits.items()}
    scores["probe"] = probe_scores(map(read_wave, clips), labels, groups)
    worded = np.array([bool(row.hypotheses and row.hypotheses[0].text) for row in rows])
    truth = np.array([row.label for row in rows])
    kept = {margin_key(mode): values[heard] for mode, values in scores.items() if mode != "probe"}
    np.savez(
        folder / SCORES,
        logits=logits["fused"][worded],
        labels=truth[worded],
        truths=labels[heard],
        groups=groups[heard],
        **kept,
    )
    found: dict = {"directed": pair[0], "not_directed": pair[1], "n": int(heard.sum())}
    found["without_text"] = sum(bool(row.hypotheses) and not row.hypotheses[0].text for row in rows)
    for name, values in scores.items():
        interval = bootstrap_eer(labels[heard], values[heard], groups[heard])
        found[name] = {**summary(labels[heard], values[heard]), "eer_ci95": interval}
    found["all"] = {name: summary(labels, scores[name]) for name in ("audio", "probe")}
    return found


def _shown(found: dict) -> dict:
    """Return the error rates of a pair, as a person reads them."""
    rates = {
        name: f"{figures['eer']:.1%} ({' to '.join(f'{end:.1%}' for end in figures['eer_ci95'])})"
        for name, figures in found.items()
        if isinstance(figures, dict) and "eer_ci95" in figures
    }
    return {"recordings": found["n"], **{f"equal error rate, {k}": v for k, v in rates.items()}}


@click.command("training.crossval.pairs")
@click.argument("recipe", type=click.Choice(sorted(RECIPES)))
@click.argument("assignments", nargs=-1, metavar="key=value...")
@click.option("--pair", multiple=True, default=PAIRS, show_default=True, help="One of each class.")
@click.option("--how", default="", help="A sentence on the budget, kept with the figures.")
def main(recipe: str, assignments: tuple[str, ...], pair: tuple[str, ...], how: str) -> None:
    """Train once without each pair and write the figures to `out`/pairs.json."""
    base = build_recipe(recipe, assignments)
    if not base.out:
        raise click.UsageError("out=DIR is needed: the folder of the results")
    if not base.data.features:
        features = str(Path(base.out, "features"))
        base = replace(base, data=replace(base.data, features=features))
    results = []
    for text in pair:
        directed, _, other = text.partition(",")
        folder = run_folder(Path(base.out), (directed, other))
        run = without_pair(replace(base, out=str(folder)), (directed, other), Path(base.out))
        if not (folder / "metrics.json").exists():
            train_run(run)
        results.append(score_pair(run, (directed, other), folder))
        show(text, _shown(results[-1]), as_json=False)
        write_json(Path(base.out, PAIRS_FILE), {"how": how, "pairs": results})


if __name__ == "__main__":
    sys.exit(run_command(main))
