"""`turbo-bench asr` on the recording in the package, with the small Whisper of the tests."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import KITCHEN, ROOT
from turbo_stream.benchmark.asr.benchmark import benchmark_asr
from turbo_stream.benchmark.asr.report import asr_plot, brief
from turbo_stream.benchmark.asr.sounds import Utterance, pieces, read_utterances
from turbo_stream.cli.bench import bench
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.recognition.window import WindowConfig

WHISPER = str(ROOT / "tests" / "assets" / "whisper-kitchen")
WINDOWS = [WindowConfig(2.0, 0.5), WindowConfig(3.0, 1.0)]


def nothing_to_say(line: str) -> None:
    raise AssertionError(line)


@pytest.fixture(scope="module")
def found() -> dict:
    return benchmark_asr(
        [], asr=WHISPER, windows=WINDOWS, seconds=(1.0, 4.0), runs=2, say=nothing_to_say
    )


def test_every_window_hears_every_length_beside_the_whole_one(found: dict) -> None:
    rows = {(row["sound_s"], row["floor_s"]): row for row in found["times"]}
    assert list(rows) == [(s, floor) for s in (1.0, 4.0) for floor in (2.0, 3.0, 30.0)]
    for row in rows.values():
        steps = sum(row[f"{step}_ms"] for step in ("features", "encode", "decode"))
        assert steps > 0 and 0 < row["ms"]["p50"] <= row["ms"]["p95"]
        assert row["tokens"] > 0 and row["ms_per_token"] > 0
    assert rows[1.0, 30.0]["times_faster"] == 1.0


def test_words_are_counted_with_the_texts_of_the_recording(found: dict) -> None:
    assert found["utterances"] == 15 and found["asr"] == "whisper:whisper-kitchen"
    assert [(row["source"], row["floor_s"]) for row in found["words"]] == [
        ("all", 2.0), ("all", 3.0), ("all", 30.0),
    ]  # fmt: skip
    for row in found["words"]:
        assert row["n"] == 15 and row["words"] > 90
        assert 0 <= row["wer"] <= 0.15


def test_a_row_for_each_source_of_a_manifest_and_wrong_texts_show(tmp_path, kitchen_spans) -> None:
    rows = [
        {
            "audio_filepath": str(KITCHEN),
            "offset": span["start_s"] - 0.25,
            "duration": span["end_s"] - span["start_s"] + 0.5,
            "text": text,
            "source": source,
        }
        for span, text, source in (
            (kitchen_spans[0], kitchen_spans[0]["text"], "right"),
            (kitchen_spans[3], "nothing of the kind", "wrong"),
            (kitchen_spans[4], None, "unknown"),
            (kitchen_spans[5], "", "silent"),
        )
    ]
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    found = benchmark_asr(
        [manifest], asr=WHISPER, windows=[], seconds=(1.0,), runs=1, say=nothing_to_say
    )
    assert found["utterances"] == 4
    wer = {row["source"]: row["wer"] for row in found["words"]}
    assert list(wer) == ["right", "wrong", "silent", "all"]
    assert wer["right"] == 0 and wer["wrong"] >= 1 and wer["right"] < wer["all"] < wer["wrong"]
    assert [(row["silent"], row["silent_with_text"]) for row in found["words"][-2:]] == [(1, 1)] * 2
    assert wer["silent"] is None


def test_second_readings_and_guards_are_counted(tmp_path) -> None:
    from tests.support import multilingual

    folder = multilingual.build(tmp_path / "many")  # random weights never stop by themselves
    found = benchmark_asr(
        [], asr=str(folder), windows=[WindowConfig(3.0, 1.0)], limit=1, seconds=(1.0,), runs=1,
        say=nothing_to_say,
    )  # fmt: skip
    short, whole = found["words"]
    assert (short["second_readings"], whole["second_readings"]) == (1, 0)
    assert short["guards"]["cap"] == whole["guards"]["cap"] == 1


def test_another_recognizer_has_times_and_words_without_windows() -> None:
    found = benchmark_asr(
        [], asr="none", windows=WINDOWS, seconds=(1.0,), runs=2, say=nothing_to_say
    )
    (row,) = found["times"]
    assert row["floor_s"] is None and "encode_ms" not in row
    assert [row["wer"] for row in found["words"]] == [1.0]
    assert brief(found)["times"][0]["window_s"] == "-"


def test_pieces_are_as_long_as_asked_and_differ() -> None:
    ramp = np.arange(16_000, dtype=np.int16)
    made = pieces([Utterance("", ramp[:9_000], None), Utterance("", ramp[9_000:], None)], 1.5, 4)
    assert [len(piece) for piece in made] == [24_000] * 4
    assert [int(piece[0]) for piece in made] == [0, 4_000, 8_000, 12_000]
    assert made[1][12_000] == 0  # what is too short begins again


def test_a_limit_draws_from_every_source(tmp_path) -> None:
    lines = [
        json.dumps({"audio_filepath": str(KITCHEN), "offset": n, "duration": 1, "source": source})
        for n in range(6)
        for source in "ab"
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(lines), "utf-8")
    drawn = read_utterances([tmp_path / "m.jsonl"], 2)
    assert [one.source for one in drawn] == ["a", "a", "b", "b"]
    by_offset = read_utterances([tmp_path / "m.jsonl"], 1, by="offset")
    assert [one.source for one in by_offset] == ["m", "1", "2", "3", "4", "5"]


def test_a_sound_without_segments_is_refused(tmp_path) -> None:
    (tmp_path / "kitchen.flac").write_bytes(KITCHEN.read_bytes())
    with pytest.raises(InputError, match=r"give kitchen.json with its segments"):
        read_utterances([tmp_path / "kitchen.flac"], None)


def test_picture(found: dict) -> None:
    assert asr_plot(found).startswith(b"\x89PNG")


def test_table_and_json(tmp_path: Path, capfd) -> None:
    arguments = ["asr", "--asr", WHISPER, "--window-floor", "3", "--runs", "1", "--limit", "1"]
    assert run_command(bench, [*arguments, "--json", "--plot", str(tmp_path / "a.png")]) == 0
    printed = json.loads(capfd.readouterr().out)
    assert {row["floor_s"] for row in printed["times"]} == {3.0, 30.0}
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert run_command(bench, arguments) == 0
    table = capfd.readouterr().out
    assert "3+4" in table and "30+0" in table
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--window-floor", "31"], "--window-floor is 31"),
        (["--window-margin", "nan"], "--window-margin is nan"),
        (["nowhere.jsonl"], "nowhere.jsonl"),
        (["--asr", "whisperer"], "whisperer"),
        (["--plot", "a.txt"], "a.txt"),
    ],
)
def test_bad_use_is_one_line(capfd, arguments: list[str], says: str) -> None:
    assert run_command(bench, ["asr", "--asr", WHISPER, *arguments]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and says in lines[0]
