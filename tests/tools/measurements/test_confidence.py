import json
from pathlib import Path

from click.testing import CliRunner

from tools.measurements.recognition.confidence import component_errors, main


def test_an_error_is_of_the_number_itself() -> None:
    values = [(True, (-0.2, 0.9, 1.0, 0.0)), (False, (-0.9, 0.1, 1.0, 0.0))] * 5
    found = component_errors(values)
    assert found["log-probability"] == 0.0
    assert found["no-speech probability"] == 0.0
    assert found["compression ratio"] == 0.5
    assert component_errors([(not truth, told) for truth, told in values])["log-probability"] == 1.0


def test_pairs_are_taken_from_predictions(tmp_path: Path) -> None:
    asr = {"backend": "whisper:x", "no_speech_prob": 0.1, "compression_ratio": 1.0}
    rows = [
        {
            "audio_filepath": f"{label}{number}",
            "label": label,
            "set": place,
            "text_used": "words" if number else "",
            "asr": {**asr, "avg_logprob": -0.1 - 0.5 * (label == "directed")},
        }
        for label, place in (("directed", "orders"), ("not_directed", "chat"))
        for number in range(5)
    ]
    path = tmp_path / "predictions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    done = CliRunner().invoke(main, [str(path), "--pair", "orders,chat"])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout.splitlines()[-1])
    assert (found["n"], found["n_directed"]) == (8, 4)  # what was heard without words is left out
    assert found["log-probability"] == 1.0
