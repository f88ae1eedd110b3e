"""Command line: `python -m training.crossval RECIPE out=DIR key=value... [--ablate]`."""

import sys
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, replace
from pathlib import Path

import click

from training.fitting.recipe import RECIPES, Recipe, build_recipe
from turbo_stream._util.files import write_json
from turbo_stream._util.folder_lock import FolderLock
from turbo_stream.cli.command import run_command


def _names(text: str, allowed: Sequence[str], option: str) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in allowed:
            raise click.BadParameter(f"{option} {name}: unknown; allowed: {', '.join(allowed)}")
    return names


def _numbers(text: str, option: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",") if number]
    except ValueError as error:
        raise click.BadParameter(f"{option} {text}: give whole numbers, as in 0,1,2") from error


def _chosen_folds(text: str, count: int) -> list[int]:
    chosen = _numbers(text, "--only-folds") or list(range(count))
    if not set(chosen) <= set(range(count)):
        raise click.BadParameter(f"--only-folds {text}: the file has the folds 0 to {count - 1}")
    return chosen


def _chosen(recipe: str, assignments: Sequence[str], folds_file: str) -> Recipe:
    chosen = build_recipe(recipe, assignments)
    if not chosen.out:
        raise click.UsageError("out=DIR is needed: where finished runs are kept")
    if not chosen.data.manifest:
        raise click.UsageError("data.manifest=FILE is needed: JSONL with audio_filepath, label")
    data = replace(chosen.data, folds=folds_file or chosen.data.folds)
    if not data.features:
        data = replace(data, features=str(Path(chosen.out, "features")))
    # One run of many is short: it is made again rather than resumed, and draws no curves.
    train = replace(chosen.train, checkpoint_every=0, tensorboard=False)
    return replace(chosen, data=data, train=train)


@click.command("training.crossval")
@click.argument("recipe", type=click.Choice(sorted(RECIPES)))
@click.argument("assignments", nargs=-1, metavar="key=value...")
@click.option("--ablate", is_flag=True, help="All arms of the table, not only ce,ce_2view,turbo.")
@click.option("--arms", default="", help="Arms, comma-separated; --ablate stands for all.")
@click.option("--folds-file", default="", help="Fold file; without one, 5 folds by group.")
@click.option("--only-folds", default="", help="Indices of the folds to run; all by default.")
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1))
@click.option("--sizes", default="", help="Training-set sizes of the learning curve: 25,100,400.")
@click.option("--curve-arms", default="ce,ce_2view,turbo", show_default=True)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1))
@click.option("--tune", "tuned", default=0, type=click.IntRange(0), help="Trials for each arm.")
@click.option(
    "--tuning",
    type=click.Path(path_type=Path),
    help="The tuning.json of other runs, to use what they found.",
)
@click.option("--metric", default="", help="Figure to compare by; balanced_accuracy, or 1 - EER.")
@click.option("--results", type=click.Path(path_type=Path), help="Default: results in out.")
@click.option("--keep", is_flag=True, help="Keep the weights of every run.")
@click.option("--tables-only", is_flag=True, help="Run nothing: only write what is known.")
def main(
    recipe: str,
    assignments: tuple[str, ...],
    ablate: bool,
    arms: str,
    folds_file: str,
    only_folds: str,
    seeds: int,
    sizes: str,
    curve_arms: str,
    workers: int,
    tuned: int,
    tuning: Path | None,
    metric: str,
    results: Path | None,
    keep: bool,
    tables_only: bool,
) -> None:
    """Run arms x folds x seeds with the same batches and steps, and write the table.

    Finished runs are kept in `out`/runs.jsonl; the same command goes on where it stopped.
    """
    from training.crossval.results import CONTRACT
    from training.objective.config import ARMS

    default = ",".join(CONTRACT) if ablate else "ce,ce_2view,turbo"
    names = _names(arms or default, ARMS, "--arms")
    curve = _names(curve_arms, ARMS, "--curve-arms")
    chosen = _chosen(recipe, assignments, folds_file)

    from training.crossval.cell import Journal, cell_recipe, plan
    from training.crossval.execute import Job, fill_features, run_jobs, shown
    from training.crossval.results import pick_metric, write_results
    from training.crossval.row_scores import scores_path
    from training.crossval.setup import check_setup, describe
    from training.crossval.tuning import read_tuning, tune
    from training.fitting.workbench import load_rows, prepare, with_labels
    from training.folds.fold_file import make_folds, read_folds

    out = Path(chosen.out)
    click.get_current_context().with_resource(FolderLock(out, "the folder"))
    chosen = with_labels(chosen)
    if not chosen.data.folds:
        generated = out / "folds.json"
        if not generated.exists():
            write_json(generated, make_folds(load_rows(chosen), "group", 5, name="by group"))
        chosen = replace(chosen, data=replace(chosen.data, folds=str(generated)))
    folds = read_folds(chosen.data.folds)
    indices = _chosen_folds(only_folds, len(folds.tests))
    lengths = _numbers(sizes, "--sizes")
    cells = plan(names, curve, indices, seeds, lengths, chosen.data.transcripts)
    best = read_tuning(tuning, names) if tuning else {}
    setup = describe(chosen, folds, {arm: asdict(trial) for arm, trial in best.items()} or tuned)
    check_setup(out, setup)
    journal = Journal(out / "runs.jsonl")

    missing = [cell for cell in cells if asdict(cell) not in journal]
    if missing and not tables_only:
        bench = prepare(chosen)
        fill_features(bench, indices)
        try:
            if tuned and not tuning:
                best = tune(bench, names, indices, tuned, out, workers)
            jobs = [
                Job(
                    key=cell,
                    recipe=cell_recipe(bench.recipe, cell, best.get(cell.arm)),
                    folder=out / "weights" / str(cell).replace(", ", "_") if keep else None,
                    test=True,
                    scores=scores_path(out / "scores", cell),
                )
                for cell in missing
            ]
            for job, result in shown(run_jobs(bench, jobs, workers), len(jobs), "runs"):
                journal.add(asdict(job.key), result)
        except (KeyboardInterrupt, BrokenProcessPool) as error:
            done = sum(asdict(cell) in journal for cell in cells)
            raise click.ClickException(
                f"stopped with {done} of {len(cells)} runs done; the same command goes on"
            ) from error
    table = write_results(
        results or out / "results",
        recipe,
        journal,
        cells,
        folds=folds,
        metric=pick_metric(journal, metric),
        setup=setup,
        tuning=tuning or out / "tuning.json",
        scores=out / "scores",
    )
    for name, found in table["difference"].items():
        low, high = found["ci95_speakers"] or found["ci95"]
        print(f"{name}: {100 * found['mean']:+.2f} ({100 * low:+.2f} to {100 * high:+.2f})")


if __name__ == "__main__":
    sys.exit(run_command(main))
