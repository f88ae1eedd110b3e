import json

from click.testing import CliRunner

from tests.support.paths import KITCHEN, ROOT
from tools.measurements.recognition.second_reading import Reading, follow, main
from turbo_stream.recognition.guards import is_doubtful
from turbo_stream.recognition.recognizer import Transcript

WHISPER = str(ROOT / "tests" / "assets" / "whisper-kitchen")


def test_reads_on_while_the_text_is_doubtful() -> None:
    readings = {
        10: Reading(Transcript("", guard="cap"), 1.0),
        15: Reading(Transcript("turn on the lights"), 2.0),
        30: Reading(Transcript("turn off the lights"), 4.0),
    }
    assert follow(readings, (10, 15, 30), is_doubtful) == (readings[15].transcript, 3.0)
    assert follow(readings, (10, 30), is_doubtful) == (readings[30].transcript, 5.0)
    assert follow(readings, (10,), is_doubtful) == (readings[10].transcript, 1.0)


def test_every_rule_on_the_scene(tmp_path, kitchen_spans) -> None:
    rows = [
        {
            "audio_filepath": str(KITCHEN),
            "offset": span["start_s"] - 0.25,
            "duration": span["end_s"] - span["start_s"] + 0.5,
            "text": span["text"] if number else "",
        }
        for number, span in enumerate(kitchen_spans[:4])
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = CliRunner().invoke(main, [str(manifest), "--asr", WHISPER])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["n"] == 4 and len(found["rules"]) > 12
    for rule in found["rules"]:
        assert rule["wer"] <= 0.1 and rule["silent_with_text"] == 1.0
    alone = {tuple(rule["windows_s"]): rule["read_again"] for rule in found["rules"][:5]}
    assert set(alone.values()) == {0.0}
