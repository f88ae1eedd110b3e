import json
import random

import numpy as np
from click.testing import CliRunner

from tests.support.paths import KITCHEN, ROOT
from tools.measurements.recognition.window_margin import joined, main
from turbo_stream.benchmark.asr.sounds import Utterance

WHISPER = str(ROOT / "tests" / "assets" / "whisper-kitchen")
RATE = 16_000


def test_clips_are_joined_with_their_texts() -> None:
    clips = [Utterance("a", np.full(RATE, n, np.int16), f"word{n}") for n in range(5)]
    for one in joined(clips, 3.0, 4, random.Random(0)):
        assert len(one.pcm) == 3 * RATE and one.source == "3 s"
        assert one.text == " ".join(f"word{n}" for n in one.pcm[::RATE])


def test_what_never_fits_is_left_out() -> None:
    assert (
        joined([Utterance("a", np.zeros(5 * RATE, np.int16), "x")], 1.0, 4, random.Random(0)) == []
    )


def test_every_margin_beside_the_whole_window(tmp_path, kitchen_spans) -> None:
    rows = [
        {
            "audio_filepath": str(KITCHEN),
            "offset": span["start_s"] - 0.25,
            "duration": span["end_s"] - span["start_s"] + 0.5,
            "text": span["text"],
        }
        for span in kitchen_spans[:3]
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    options = ["--asr", WHISPER, "--margin", "1", "--margin", "2", "--length", "2", "--count", "2"]
    done = CliRunner().invoke(main, [str(manifest), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["rows"]
    assert [(row["source"], row["margin_s"]) for row in found] == [
        ("all", 1.0), ("all", 2.0), ("all", 0.0),
    ]  # fmt: skip
    assert all(row["n"] == 2 and row["wer"] <= 0.2 for row in found)
