"""What looks repeated, counted on lines whose answer is known."""

import json
from pathlib import Path

from tools.measurements.repeats.__main__ import main
from turbo_stream.cli.command import run_command


def row(label: str, text: str, heard: str, decision: str = "rejected") -> dict:
    return {"label": label, "text": text, "text_used": heard, "decision": decision, "set": "s"}


def test_talk_and_commands_are_counted_apart(tmp_path: Path, capsys) -> None:
    rows = [
        row("not_directed", "a", "we were late for dinner"),
        row("not_directed", "b", "we were late for dinner"),
        row("not_directed", "c", "the weather was fine in june"),
        row("not_directed", "d", "the weather was fine in june", "accepted"),
        row("directed", "Lights on", "Lights on."),
        row("directed", "lights on", "lights on"),
        row("directed", "stop", "stop", "accepted"),
        row("directed", "stop", "stop"),
    ]
    predictions, dialogue = tmp_path / "predictions.jsonl", tmp_path / "texts.jsonl"
    predictions.write_text("".join(json.dumps(one) + "\n" for one in rows))
    dialogue.write_text(json.dumps({"text": "yes", "before": "how far is it to the sea"}) + "\n")
    assert run_command(main, [str(predictions), "--dialogue", str(dialogue)]) == 0
    found = json.loads(capsys.readouterr().out)
    talk = found["talk in a row"]
    assert talk["pairs"] == 2 and set(talk["alike"].values()) == {1}
    assert found["a command twice"]["pairs"] == 1 == found["a command twice"]["alike"]["0.8"]
    assert found["dialogue"]["pairs"] == 1 and found["dialogue"]["alike"]["0.8"] == 0
