"""`turbo-tune house` and what a person can do with what was learned."""

import json
import re
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.paths import KITCHEN
from tests.support.tuning import at_terminal, tune
from turbo_stream.learning.example_file import ExampleFile

SECOND = np.zeros(16_000, np.int16)
WORDS = ("kitchen", "light", "turn", "music", "timer", "dinner")


@pytest.fixture(scope="module")
def spoken(kitchen_pcm, kitchen_spans, tmp_path_factory) -> dict[str, Path]:
    """The shipped scene, commands and other talk apart, a second of silence between two."""
    folder = tmp_path_factory.mktemp("spoken")
    found = {}
    for label in ("directed", "not_directed"):
        parts = [SECOND]
        for span in kitchen_spans:
            if span["label"] == label:
                start, end = (int(16_000 * span[name]) for name in ("start_s", "end_s"))
                parts += [kitchen_pcm[start:end], SECOND, SECOND]
        found[label] = folder / f"{label}.wav"
        soundfile.write(found[label], np.concatenate(parts), 16_000)
    return found


@pytest.fixture(scope="module")
def house(spoken, tmp_path_factory) -> tuple[Path, str]:
    """A file of corrections made of recordings, and what was said."""
    file = tmp_path_factory.mktemp("house") / "house.json"
    done = tune(
        *("house", file, "--directed", spoken["directed"], "--other", spoken["not_directed"]),
        *("--asr", "none", "--per-hour", "60"),
    )
    return file, done.stdout + done.stderr


@pytest.mark.slow
def test_a_house_is_learned_from_recordings(house) -> None:
    file, said = house
    kept = list(ExampleFile.read(file).examples.values())
    kinds = [one.directed for one in kept]
    assert len(kinds) == 15 and 5 <= sum(kinds) <= 10
    assert {one.origin for one in kept} == {"tune"}
    pieces = {one.session for one in kept}
    assert len(pieces) == 5
    for piece in pieces:
        assert {one.directed for one in kept if one.session == piece} == {True, False}
    for line in (
        r"as shipped: \d+ of 15 wrong \(\d+%; 95 %: \d+% to \d+%\); \d of \d+ for the device",
        r"learned:    \d+ of 15 wrong",
        "each was judged by what the others teach",
        r"threshold 0\.\d+: 0 false accepts",
        "cannot prove so few",
    ):
        assert re.search(line, said), said
    assert not any(word in said for word in WORDS)


@pytest.mark.slow
def test_a_recording_given_twice_is_not_judged_by_itself(house, spoken, tmp_path) -> None:
    copy = tmp_path / "house.json"
    copy.write_bytes(house[0].read_bytes())
    arguments = ["house", copy, "--directed", spoken["directed"]]
    arguments += ["--other", spoken["not_directed"], "--asr", "none", "--json"]
    found = json.loads(tune(*arguments).stdout)
    assert len(ExampleFile.read(copy).examples) == 15
    wrong = re.search(r"learned: +(\d+) of 15", house[1])
    after = found["after"]
    assert after["missed"] + after["accepted"] == int(wrong[1])
    assert 0 <= after["at_least"] <= after["error"] <= after["at_most"] <= 1
    assert found["threshold"]["wanted_per_hour"] == 1


@pytest.mark.slow
def test_it_is_listed_exported_undone_and_erased(house, tmp_path) -> None:
    file, out = tmp_path / "house.json", tmp_path / "plain.json"
    file.write_bytes(house[0].read_bytes())
    lines = tune("list", file).stdout.splitlines()
    assert lines[0].startswith("turbo-rej-en 1.") and len(lines) == 16
    row = r"20\d\d-\d\d-\d\d  (for the device|not for it    )  [01]\.\d\d  tune"
    assert all(re.fullmatch(row, line) for line in lines[1:])
    listed = json.loads(tune("list", file, "--json").stdout)
    assert len(listed["examples"]) == 15 and "audio" not in listed["examples"][0]
    tune("export", file, out)
    exported = json.loads(out.read_bytes())
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    first = next(iter(ExampleFile.read(file).examples.values()))
    assert exported["examples"][0]["audio"] == first.vectors.audio.tolist()
    assert "is there already" in tune("export", file, out, status=2).stderr
    assert "0 for the device + 0 not" in tune("undo", file).stdout
    assert "no correction to undo" in tune("undo", file, status=2).stderr
    asked = tune("forget", file, status=2, stdin=subprocess.DEVNULL)
    assert "--yes" in asked.stderr and file.exists()
    assert "is erased" in tune("forget", file, "--yes").stdout
    assert not file.exists()
    assert "is not there" in tune("forget", file, "--yes", status=2).stderr


def test_only_a_file_of_corrections_is_erased(tmp_path) -> None:
    letter, damaged = tmp_path / "letter.txt", tmp_path / "damaged.json"
    letter.write_text("Dear Sir")
    assert "no file of corrections" in tune("forget", letter, "--yes", status=2).stderr
    assert letter.exists()
    damaged.write_text('{"kind": "turbo-stream corrections", "form')
    for command in (["list"], ["undo"]):
        assert "no file of corrections" in tune(*command, damaged, status=2).stderr
    assert "damaged" in tune("forget", damaged, "--yes").stdout and not damaged.exists()


def test_speech_of_both_kinds_is_needed(tmp_path) -> None:
    done = tune("house", tmp_path / "h.json", "--directed", KITCHEN, status=2)
    assert "--directed" in done.stderr and "--other" in done.stderr


@pytest.mark.slow
@pytest.mark.audio_server
def test_a_guided_session_at_the_microphone(sound_server, spoken, tmp_path) -> None:
    """Three parts: one ends by its count or by Enter, the last by Enter."""
    file = tmp_path / "house.json"
    with at_terminal("house", file, "--asr", "none", **sound_server.env) as terminal:
        for wish, label, count in (
            ("say ten things", "directed", 5),
            ("now talk to somebody", "not_directed", 3),
            ("now let the television run", "not_directed", 2),
        ):
            terminal.wait_for(wish)
            terminal.wait_for("Enter ends this part")
            pcm, _ = soundfile.read(spoken[label], dtype="int16")
            player = sound_server.play(pcm)
            terminal.wait_for(f"heard {count} of")
            player.kill()
            player.wait(10)
            terminal.press("\n")
        terminal.wait_for("turbo-listen --learn", 30)
        assert terminal.ended() == 0
    kinds = [one.directed for one in ExampleFile.read(file).examples.values()]
    assert sum(kinds) >= 5 and len(kinds) - sum(kinds) >= 5
