import json
from pathlib import Path

from tests.support.paths import KITCHEN, ROOT
from turbo_stream.evaluation.run import evaluate
from turbo_stream.evaluation.scoring.settings import ScoringSettings

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


def test_the_window_whisper_read_stands_in_the_run(tmp_path: Path, tiny_package: Path) -> None:
    manifest = tmp_path / "m.jsonl"
    row = {"audio_filepath": str(KITCHEN), "offset": 1.0, "duration": 2.0, "label": "directed"}
    manifest.write_text(json.dumps(row) + "\n", "utf-8")
    settings = ScoringSettings(
        model=str(tiny_package), asr=str(WHISPER), window_floor_s=3.0, window_margin_s=1.0
    )
    evaluate(manifest, tmp_path / "out", settings)
    run = json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8"))["run"]
    assert run["window"] == {"floor_s": 3.0, "margin_s": 1.0}
