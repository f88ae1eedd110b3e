"""The measurement of house words, with the small Whisper of the tests and on made readings."""

import json
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner

from tests.support.paths import ROOT
from tools.measurements.recognition.house_words import main, says_more, table

pytest.importorskip("jiwer", reason="word errors need the eval extra")

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


def test_it_reads_in_each_way_and_counts_what_was_weighed(
    kitchen_pcm, kitchen_spans, tmp_path: Path
) -> None:
    first = kitchen_spans[0]
    begin, end = (round(first[name] * 16_000) for name in ("start_s", "end_s"))
    soundfile.write(tmp_path / "first.wav", kitchen_pcm[begin:end], 16_000)
    manifest = tmp_path / "m.jsonl"
    row = {"audio_filepath": "first.wav", "set": "scene", "text": first["text"]}
    manifest.write_text(json.dumps(row) + "\n")
    out = tmp_path / "read.jsonl"
    words = ["--word", "Kitchin", "--word", "Zappi"]
    options = ["--asr", str(WHISPER), "--out", str(out), *words]
    done = CliRunner().invoke(main, [str(manifest), *options])
    assert done.exit_code == 0, done.output
    (line,) = map(json.loads, out.read_text().splitlines())
    assert line["weighed"] == 1 and "kitchen" in line["untold"]["text"].lower(), line
    assert {"untold", "told"} <= line.keys()
    rows = [[c.strip() for c in row.split("|")[1:-1]] for row in table([line]).splitlines()]
    head, _, *ways = rows
    told = dict(zip(head, ways[1], strict=True))
    assert told["way"] == "told" and told["near, weighed"] == "1, 1"
    assert dict(zip(head, ways[0], strict=True))["near, weighed"] == ""


def test_a_text_that_says_more_than_was_said() -> None:
    assert says_more("Turn it off. Turn it off.", "Turn it off.")
    assert says_more("stop stop stop", "stop")
    assert not says_more("Turn it of", "Turn it off.")
    assert not says_more("anything", ""), "what was said is not known"
