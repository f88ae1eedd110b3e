"""How fast turbo-eval scores, against a plain loop over faster-whisper in the same run.

python -m tools.measurements.cost.evaluation MANIFEST --asr FOLDER [--workers 2]
"""

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import click
from rich.console import Console

from turbo_stream._util.timebase import to_seconds
from turbo_stream.benchmark.corpus import benchmark_eval
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.run import Engine
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.recognition.recognizer import Confidence, Transcript


@click.command("tools.measurements.cost.evaluation")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--asr", required=True, help="Folder of a CTranslate2 Whisper.")
@click.option("--model", help="Turbo package.  [default: the one that ships]")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
def main(manifest: Path, asr: str, model: str | None, workers: int) -> None:
    """Score MANIFEST with the plain loop, then with turbo-eval's engine; print JSON."""
    say = Console(stderr=True).print
    say("the plain loop")
    peer = plain_loop(manifest, asr, model)
    settings = ScoringSettings(model=model, asr=asr)
    figures: dict[str, Any] = {"plain_loop": peer}
    for count in sorted({1, workers}):
        say(f"turbo-eval, {count} workers")
        own = benchmark_eval(manifest, settings, Engine(workers=count))
        own["over_plain_loop"] = own["times_real_time"] / peer["times_real_time"]
        figures[f"turbo_eval_{count}"] = own
    audio_only = ScoringSettings(model=model, asr="none")
    say(f"turbo-eval, {workers} workers, audio only")
    figures["turbo_eval_audio_only"] = benchmark_eval(manifest, audio_only, Engine(workers=workers))
    print(json.dumps(figures, indent=2))


def plain_loop(manifest: Path, asr: str, model: str | None) -> dict[str, Any]:
    """Return the speed of what one writes in ten lines: `transcribe`, then the classifier.

    One process, and faster-whisper's own defaults for threads; beam 1 and no fallback
    temperatures, as in turbo_stream. The first item warms the models and is not counted.
    """
    import faster_whisper

    whisper = faster_whisper.WhisperModel(asr, device="cpu", compute_type="int8")
    classifier = TurboClassifier(ModelPackage.load(Path(model) if model else None))
    items = read_manifest(manifest)
    audio_s = 0.0
    started = perf_counter()
    for number, item in enumerate([items[0], *items]):
        if number == 1:
            started, audio_s = perf_counter(), 0.0
        pcm = read_clip(item.path, item.offset_s, item.duration_s)
        segments, _ = whisper.transcribe(
            pcm.astype("float32") / 32768, beam_size=1, temperature=0.0, without_timestamps=True
        )
        found = list(segments)
        confidence = None
        if found:
            last = found[-1]
            confidence = Confidence(last.avg_logprob, last.no_speech_prob, last.compression_ratio)
        classifier.probabilities(pcm, Transcript("".join(s.text for s in found), confidence))
        audio_s += to_seconds(len(pcm))
    wall_s = perf_counter() - started
    return {
        "peer": f"faster-whisper {faster_whisper.__version__}",
        "items": len(items),
        "audio_s": audio_s,
        "wall_s": wall_s,
        "times_real_time": audio_s / wall_s,
    }


if __name__ == "__main__":
    sys.exit(run_command(main))
