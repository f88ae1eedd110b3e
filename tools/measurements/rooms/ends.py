"""How far apart two rooms hear the end of the same speech, and which of them says it heard better.

python -m tools.measurements.rooms.ends MANIFEST --clips 100

The near room: the clip in pink noise 25 dB below it. The far one: the clip in a simulated room, in
pink noise 10 dB below it. Prints a line of JSON.
"""

import json
import sys
from pathlib import Path

import click
import numpy as np
import soundfile
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.corpus.conditions import parse_condition
from turbo_stream.house.claim import STEP_DB
from turbo_stream.segmentation.level import over_noise_db
from turbo_stream.segmentation.segment import Segment
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad

_SILENCE = np.zeros(SAMPLE_RATE, np.int16)
_LATE_S = (0.1, 0.2, 0.3, 0.4, 0.5)


def heard(pcm: NDArray[np.int16], conditions: tuple[str, ...], item: int) -> list[Segment]:
    """Return the utterances of `pcm`, `[N]`, with a second of room around, under `conditions`."""
    pcm = np.concatenate((_SILENCE, pcm, _SILENCE, _SILENCE))
    for name in conditions:
        pcm = parse_condition(name).apply(pcm, seed=1, item=item)
    segmenter = Segmenter(load_vad("webrtc+silero"))
    outputs = [*segmenter.process(pcm), *segmenter.flush()]
    return [one for one in outputs if isinstance(one, Segment) and one.dropped is None]


@click.command("tools.measurements.rooms.ends")
@click.argument("manifest", type=click.Path(path_type=Path, exists=True))
@click.option("--clips", type=click.IntRange(1), default=100)
def main(manifest: Path, clips: int) -> None:
    """Let a near and a far room hear the same clips."""
    rows = [json.loads(line) for line in manifest.read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["label"] == "directed" and row["duration"] > 1.2]
    picked = np.random.default_rng(1).permutation(len(rows))[:clips]
    apart_s: list[float] = []
    better_db: list[float] = []
    one_each = 0
    for item in map(int, picked):
        pcm, rate = soundfile.read(manifest.parent / rows[item]["audio_filepath"], dtype="int16")
        if rate != SAMPLE_RATE or pcm.ndim != 1:
            continue
        near = heard(pcm, ("noise=25",), item)
        far = heard(pcm, ("rir", "noise=10"), item + len(rows))
        one_each += len(near) == len(far) == 1
        for one in near:
            if far:
                other = min(far, key=lambda two: abs(two.end_sample - one.end_sample))
                apart_s.append(abs(other.end_sample - one.end_sample) / SAMPLE_RATE)
                better_db.append(over_noise_db(one.pcm) - over_noise_db(other.pcm))
    apart, better = np.array(apart_s), np.array(better_db)
    figures = {
        "clips": len(picked),
        "one utterance in both": one_each,
        "pairs": len(apart),
        "apart_ms": {
            f"p{p}": round(1000 * float(np.percentile(apart, p))) for p in (50, 90, 95, 99)
        },
        "further apart": {f"{s:g} s": round(float((apart > s).mean()), 3) for s in _LATE_S},
        "near is better": round(float((better > 0).mean()), 3),
        "near is better by a step": round(float((better > STEP_DB).mean()), 3),
        "far is better by a step": round(float((better < -STEP_DB).mean()), 3),
        "better_db": round(float(np.median(better)), 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(run_command(main))
