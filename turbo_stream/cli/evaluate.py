"""`turbo-eval`: how well it does on recorded corpora."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

import turbo_stream
from turbo_stream.cli.command import run_command
from turbo_stream.cli.config_file import config_option
from turbo_stream.cli.options import options
from turbo_stream.cli.output import say, say_path
from turbo_stream.cli.wording import tell
from turbo_stream.errors import InputError
from turbo_stream.evaluation.scoring.settings import Mode, ScoringSettings

_FOLDER = click.Path(path_type=Path)


@click.command("turbo-eval", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("manifest", required=False, type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, metavar="DIR", help="Folder of the results.")
@config_option
@click.option(
    "--mode",
    type=click.Choice(["utterance", "stream"]),
    default="utterance",
    show_default=True,
    help="Rows are clips, or long recordings with labelled segments.",
)
@options(ScoringSettings, "settings", without={"learn"})
@click.option(
    "--text",
    "gold_text",
    type=click.Choice(["gold"]),
    help="Take the manifest's text, instead of recognizing it.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes, or Ray actors, that score.",
)
@click.option(
    "--engine",
    default="local",
    show_default=True,
    metavar="local|ray|ADDRESS",
    help="Processes of this machine, Ray on it, or a Ray cluster (ray://HOST:PORT, HOST:PORT).",
)
@click.option("--strict", is_flag=True, help="Exit with 1 if an item could not be read.")
@click.option(
    "--augment",
    multiple=True,
    metavar="SPEC",
    help="Score the items under noise=DB,..., rir or codec=NAME,... too; repeatable.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the conditions.")
@click.option(
    "--learned",
    "learn",
    type=_FOLDER,
    metavar="FILE",
    help="Score with what FILE was taught, as turbo-listen --learn does.",
)
@click.option(
    "--learn",
    "learn_counts",
    metavar="K,K,...",
    help="How much it gains by learning from so many examples of each class: 0,5,10,20,50,100.",
)
@click.option("--tune", metavar="fa=P|fr=P", help="Choose a threshold for this error rate.")
@click.option("--model-out", type=_FOLDER, metavar="DIR", help="Package with the tuned threshold.")
@click.option(
    "--compare",
    "compared",
    nargs=2,
    type=_FOLDER,
    metavar="DIR_A DIR_B",
    help="Compare two finished runs instead.",
)
@click.version_option(turbo_stream.__version__, prog_name="turbo-eval")
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    manifest: Path | None,
    *,
    out: Path,
    compared: tuple[Path, Path] | None,
    gold_text: str | None,
    **choices: Any,
) -> None:
    """Score the recordings of MANIFEST and write predictions, metrics and a report to DIR.

    MANIFEST is JSON lines (audio_filepath, label, ...), CSV with a header, or a folder with one
    folder of sound files per label. Killed and started again, a run goes on where it was.
    """
    _need_the_extra()
    if compared is not None:
        if manifest is not None:
            raise click.UsageError("--compare takes two finished runs and no manifest")
        from turbo_stream.evaluation.report.compare import compare

        compare(*compared, out)
        say_path(out / "compare.html")
        return
    if manifest is None:
        raise click.UsageError("Missing argument 'MANIFEST'")
    # `auto` is what is meant where neither is given.
    chosen = context.get_parameter_source("asr") is not ParameterSource.DEFAULT
    if gold_text is not None and chosen:
        raise click.UsageError("--asr and --text gold exclude each other: give one of them")
    metrics = _run(manifest, out, gold_text=gold_text is not None, **choices)
    if choices["strict"] and metrics["failed"]:
        context.exit(1)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(evaluate))


def _run(
    manifest: Path,
    out: Path,
    *,
    settings: ScoringSettings,
    mode: Mode,
    gold_text: bool,
    augment: tuple[str, ...],
    workers: int,
    engine: str,
    tune: str | None,
    model_out: Path | None,
    seed: int,
    strict: bool,
    learn: Path | None,
    learn_counts: str | None,
) -> dict[str, Any]:
    from turbo_stream.evaluation.corpus.conditions import expand_conditions
    from turbo_stream.evaluation.figures.learning import parse_counts
    from turbo_stream.evaluation.figures.tuning import Target
    from turbo_stream.evaluation.run import Engine, evaluate

    if (tune is None) != (model_out is None):
        raise click.UsageError("--tune and --model-out go together: give both, or neither")
    target = None if tune is None else Target.parse(tune)
    metrics = evaluate(
        manifest,
        out,
        replace(settings, mode=mode, gold_text=gold_text, seed=seed, learn=learn),
        conditions=expand_conditions(augment),
        engine=_engine(Engine, engine, workers),
        learn_counts=() if learn_counts is None else parse_counts(learn_counts),
        say=lambda message: say(f"turbo-eval: {message}", sys.stderr),
    )
    _print_headline(metrics, out)
    _tell_failed(metrics)
    if target is not None and model_out is not None:
        _tune(target, settings.model, out, model_out)
    return metrics


def _engine(engine_class: Any, engine: str, workers: int) -> Any:
    if engine in ("local", "ray"):
        return engine_class(engine, workers)
    if ":" not in engine:
        raise InputError(f"`engine` {engine} is not known; give local, ray, or ray://HOST:PORT")
    return engine_class("ray", workers, engine)


def _print_headline(metrics: dict[str, Any], out: Path) -> None:
    from turbo_stream.evaluation.report.report import headline

    failed = f", {metrics['n_failed']} could not be read" if metrics["n_failed"] else ""
    say(f"{metrics['n']} items scored{failed}")
    for tile in headline(metrics):
        say(f"  {tile['name']}: {tile['value']} {tile['note']}".rstrip())
    for examples, line in (metrics.get("learn") or {}).items():
        say(f"  equal error rate after {examples} examples of each class: {line['eer']:.2%}")
    say_path(out / "report.html")


def _tell_failed(metrics: dict[str, Any]) -> None:
    """Say why items failed, by the first of them."""
    if failed := metrics["failed"]:
        reason = f"{failed[0]['audio_filepath']}: {failed[0]['error']}"
        say(f"turbo-eval: {len(failed)} could not be read; the first: {reason}", sys.stderr)


def _tune(target: Any, model: str | Path | None, out: Path, model_out: Path) -> None:
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.evaluation.corpus.rows import read_run
    from turbo_stream.evaluation.figures.tuning import (
        choose_threshold,
        trade_off,
        write_tuned_package,
    )

    rows, _ = read_run(out)
    tuned = choose_threshold(rows, target)
    if tuned.warning is not None:
        tell(evaluate, tuned.warning)
    say("threshold  false accepts  false rejects")
    for one in trade_off(rows, target):
        chosen = "  <- chosen" if one.threshold == tuned.threshold else ""
        say(f"{one.threshold:9.4f}  {one.false_accept:13.2%}  {one.false_reject:13.2%}{chosen}")
    package = ModelPackage.load(Path(model) if model else None)
    write_tuned_package(package, tuned, model_out)
    say(
        f"{model_out}: operating point {target.point_name} with threshold {tuned.threshold:.4f}, "
        f"false accepts {tuned.false_accept:.2%}, false rejects {tuned.false_reject:.2%}"
    )


def _need_the_extra() -> None:
    from importlib.util import find_spec

    needed = ("sklearn", "matplotlib", "jinja2", "jiwer", "whisper_normalizer")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise InputError(f"turbo-eval needs {', '.join(missing)}: pip install 'turbo-listen[eval]'")


if __name__ == "__main__":
    main()
