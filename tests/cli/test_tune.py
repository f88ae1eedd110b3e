"""`turbo-tune` as a user runs it."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.needs import needs
from tests.support.paths import KITCHEN, ROOT
from tests.support.tuning import at_microphone, say_five_times, tune

FRIDAY = ROOT / "examples" / "friday.flac"
SECOND = np.zeros(16_000, np.int16)


@pytest.fixture(scope="module")
def sayings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A name said five times by one voice, which says "Chevron" for Siobhan."""
    path = tmp_path_factory.mktemp("sayings") / "siobhan.wav"
    say_five_times("Chevron.", path)
    return path


@pytest.mark.slow
def test_a_threshold_is_found_and_written(tmp_path: Path) -> None:
    config = tmp_path / "listen.toml"
    config.write_text('# ours\nname = "friday"\nasr = "none"\naddress = "open"\njsonl = true\n')
    arguments = ("threshold", KITCHEN, "--commands", FRIDAY, "--config", config, "--per-hour", 70)
    done = tune(*arguments, "--write", config, "--json")
    found = json.loads(done.stdout)
    assert found["address"] == "open"
    assert found["utterances"] > 10
    assert found["commands"] == 9
    chosen = next(p for p in found["trade_off"] if p["threshold"] == found["threshold"])
    assert chosen["false_accepts"] <= 70 * found["hours"]
    assert chosen["at_most_per_hour"] > 3
    rates = [point["false_accepts"] for point in found["trade_off"]]
    assert rates == sorted(rates, reverse=True)
    assert tomllib.loads(config.read_text())["threshold"] == found["threshold"]
    assert config.read_text().startswith("threshold = ")
    assert "# ours" in config.read_text()
    again = tune(*arguments)
    assert "<- now, chosen" in again.stdout
    assert "cannot prove so few" in again.stdout or 70 * found["hours"] > 3


@pytest.mark.slow
def test_no_word_is_said() -> None:
    done = tune("threshold", FRIDAY, "--asr", "pocketsphinx", "--name", "friday", status=0)
    assert "address named" in done.stdout
    for word in ("kitchen", "radio", "music", "timer", "evening"):
        assert word not in done.stdout + done.stderr


@pytest.mark.slow
@needs("flite")
def test_a_name_that_is_spelled_otherwise_is_learned(sayings: Path, tmp_path: Path) -> None:
    taught = tmp_path / "siobhan.json"
    arguments = ("name", "Siobhan", sayings, "--asr", "pocketsphinx", "--out", taught)
    done = tune(*arguments, "--json")
    lesson = json.loads(done.stdout)
    assert (lesson["sayings"], lesson["found_before"], lesson["found_after"]) == (5, 0, 5)
    assert lesson["file"] == str(taught)
    told = tune(*arguments).stdout.splitlines()
    assert told[0] == "Siobhan: 0 of 5 found as it is spelled"
    assert told[1] == "5 of 5 found by what the other sayings teach"
    assert told[2] == f"turbo-listen --name Siobhan --taught {taught}"
    for given, accepted in (((), 0), (("--taught", taught), 5)):
        heard = subprocess.run(
            [
                *(sys.executable, "-m", "turbo_stream.cli.listen", str(sayings), "--jsonl"),
                *("--asr", "pocketsphinx", "--name", "siobhan", "--threshold", "0.01"),
                *map(str, given),
            ],
            capture_output=True,
            text=True,
            timeout=300,
        )
        last = json.loads(heard.stdout.splitlines()[-1])
        assert last["accepted"] == accepted, heard.stdout


@pytest.mark.slow
@pytest.mark.audio_server
@needs("flite")
def test_a_name_is_said_to_the_microphone(sound_server, sayings: Path, tmp_path: Path) -> None:
    pcm, _ = soundfile.read(sayings, dtype="int16")
    pcm = np.concatenate([SECOND, SECOND, pcm])
    output, errors = at_microphone(
        sound_server,
        pcm,
        "say siobhan (1 of 5)",
        *("name", "siobhan", "--asr", "pocketsphinx", "--out", str(tmp_path / "s.json")),
    )
    assert output.startswith("siobhan: 0 of 5 found as it is spelled")
    prompts = [line for line in errors.splitlines() if "heard" in line]
    assert prompts[0] == "turbo-tune: heard; once more (2 of 5)"
    assert prompts[-1] == "turbo-tune: heard; that is all"
    assert len(prompts) == 5


@pytest.mark.slow
@pytest.mark.audio_server
def test_a_room_is_listened_to(sound_server, kitchen_pcm: np.ndarray) -> None:
    output, _ = at_microphone(
        sound_server,
        kitchen_pcm,
        "nobody speaks to the device",
        *("threshold", "--asr", "none", "--minutes", "0.25", "--json"),
    )
    found = json.loads(output)
    assert found["hours"] == pytest.approx(0.25 / 60, rel=0.1)
    assert found["utterances"] >= 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["threshold", "none.wav"], "none.wav"),
        (["threshold", "--per-hour", "-1", "x.wav"], "--per-hour"),
        (["threshold", KITCHEN, "--commands", "none.wav"], "none.wav"),
        (["threshold", KITCHEN, "--taught", "none.json"], "--taught none.json cannot be read"),
        (["threshold", KITCHEN, "--address", "named"], "--address is named"),
        (["name"], "NAME"),
        (["name", " ", KITCHEN], "--name"),
        (["name", "Siobhan", "none.wav"], "none.wav"),
        (["name", "Siobhan", KITCHEN, "--asr", "none"], "choose an --asr"),
        (["nothing"], "nothing"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: list[object], says: str) -> None:
    done = tune(*arguments, status=2)
    assert not done.stdout
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("turbo-tune: ")
    assert says in done.stderr
