"""`turbo-eval`: how well it does on recorded corpora."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

import turbo_stream
from turbo_stream.cli.command import run_command
from turbo_stream.cli.config_file import read_config
from turbo_stream.cli.window import window_options
from turbo_stream.errors import InputError

_FOLDER = click.Path(path_type=Path)


@click.command("turbo-eval", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("manifest", required=False, type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, metavar="DIR", help="Folder of the results.")
@click.option(
    "--config",
    type=_FOLDER,
    callback=read_config,
    is_eager=True,
    expose_value=False,
    help="TOML file with any of these options; the command line wins.",
)
@click.option(
    "--mode",
    type=click.Choice(["utterance", "stream"]),
    default="utterance",
    show_default=True,
    help="Rows are clips, or long recordings with labelled segments.",
)
@click.option("--model", metavar="DIR", help="Turbo package.  [default: the one that ships]")
@click.option(
    "--asr",
    metavar="auto|none|pocketsphinx|NAME_OR_DIR",
    help="Recognizer, as of turbo-listen.  [default: auto]",
)
@window_options
@click.option("--text", type=click.Choice(["gold"]), help="Take the manifest's text instead.")
@click.option("--vad", metavar="NAME", help="Voice activity detector of stream mode.")
@click.option("--name", "names", multiple=True, help="What the device is called; repeatable.")
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N")
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
    manifest: Path | None,
    *,
    out: Path,
    compared: tuple[Path, Path] | None,
    **options: Any,
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
        print(out / "compare.html")
        return
    if manifest is None:
        raise click.UsageError("Missing argument 'MANIFEST'")
    metrics = _run(manifest, out, **options)
    if options["strict"] and metrics["failed"]:
        context.exit(1)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(evaluate))


def _run(
    manifest: Path,
    out: Path,
    *,
    asr: str | None,
    text: str | None,
    augment: tuple[str, ...],
    workers: int,
    engine: str,
    tune: str | None,
    model_out: Path | None,
    strict: bool,
    **settings: Any,
) -> dict[str, Any]:
    from turbo_stream.evaluation.corpus.conditions import expand_conditions
    from turbo_stream.evaluation.figures.tuning import Target
    from turbo_stream.evaluation.run import Engine, evaluate

    if asr is not None and text is not None:
        raise click.UsageError("--asr and --text gold exclude each other: give one of them")
    if (tune is None) != (model_out is None):
        raise click.UsageError("--tune and --model-out go together: give both, or neither")
    target = None if tune is None else Target.parse(tune)
    metrics = evaluate(
        manifest,
        out,
        _settings(asr or "auto", text, settings),
        conditions=expand_conditions(augment),
        engine=_engine(Engine, engine, workers),
    )
    _print_headline(metrics, out)
    if target is not None and model_out is not None:
        _tune(target, settings["model"], out, model_out)
    return metrics


def _settings(asr: str, text: str | None, given: dict[str, Any]) -> Any:
    from turbo_stream.evaluation.scoring.settings import ScoringSettings

    window = given.pop("window")
    vad = given.pop("vad") or ScoringSettings.vad
    return ScoringSettings(
        asr=asr,
        gold_text=text == "gold",
        vad=vad,
        window_floor_s=window.floor_s,
        window_margin_s=window.margin_s,
        **given,
    )


def _engine(engine_class: Any, engine: str, workers: int) -> Any:
    if engine in ("local", "ray"):
        return engine_class(engine, workers)
    if ":" not in engine:
        raise InputError(f"--engine {engine} is not known; give local, ray, or ray://HOST:PORT")
    return engine_class("ray", workers, engine)


def _print_headline(metrics: dict[str, Any], out: Path) -> None:
    from turbo_stream.evaluation.report.report import headline

    failed = f", {metrics['n_failed']} could not be read" if metrics["n_failed"] else ""
    print(f"{metrics['n']} items scored{failed}")
    for tile in headline(metrics):
        print(f"  {tile['name']}: {tile['value']} {tile['note']}".rstrip())
    print(f"{out / 'report.html'}")


def _tune(target: Any, model: str | None, out: Path, model_out: Path) -> None:
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.evaluation.figures.tuning import choose_threshold, write_tuned_package
    from turbo_stream.evaluation.scoring.rows import read_run

    rows, _ = read_run(out)
    tuned = choose_threshold(rows, target)
    package = ModelPackage.load(Path(model) if model else None)
    write_tuned_package(package, tuned, model_out)
    print(
        f"{model_out}: operating point {target.point_name} with threshold {tuned.threshold:.4f}, "
        f"false accepts {tuned.false_accept:.2%}, false rejects {tuned.false_reject:.2%}"
    )


def _need_the_extra() -> None:
    from importlib.util import find_spec

    needed = ("sklearn", "matplotlib", "jinja2", "jiwer", "whisper_normalizer")
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        raise InputError(f"turbo-eval needs {', '.join(missing)}: pip install 'turbo-stream[eval]'")


if __name__ == "__main__":
    main()
