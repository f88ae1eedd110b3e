"""`turbo-tune voice`: nobody is known who was not asked, and everybody can be forgotten."""

import json
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.paths import KITCHEN
from tests.support.tuning import at_microphone, at_terminal, tune
from turbo_stream.voices.voice_file import VoiceFile

SECOND = np.zeros(16_000, np.int16)
VAD = ("--vad", "webrtc")


voice = partial(tune, "voice")


@pytest.fixture(scope="module")
def said(kitchen_pcm, kitchen_spans, tmp_path_factory) -> dict[str, Path]:
    """What each voice of the shipped scene says, with a pause after each."""
    folder = tmp_path_factory.mktemp("said")
    found = {}
    for name in ("rms", "slt", "awb"):
        parts = [SECOND]
        for span in kitchen_spans:
            if span["voice"] == name and span["end_s"] - span["start_s"] > 1.2:
                start, end = (int(16_000 * span[edge]) for edge in ("start_s", "end_s"))
                parts += [kitchen_pcm[start:end], SECOND]
        found[name] = folder / f"{name}.wav"
        soundfile.write(found[name], np.concatenate(parts), 16_000)
    return found


@pytest.fixture(scope="module")
def house(said, tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("house") / "voices.json"
    done = voice("add", "Robert", said["rms"], "--voices", file, "--yes", *VAD)
    assert re.search(r"Robert is known by 5 utterances\nturbo-listen --voices \S+", done.stdout)
    assert "No sound and no words are kept" in done.stderr and str(file) in done.stderr
    assert not any(word in done.stdout + done.stderr for word in ("kitchen", "milk", "market"))
    return file


@pytest.mark.slow
def test_whose_it_was_is_told_of_accepted_speech_alone(house) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "turbo_stream.cli.listen", str(KITCHEN), "--jsonl"),
            *("--asr", "none", "--voices", str(house), "--household-only"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    heard = [one for one in events if one["event"] == "utterance"]
    assert {one.get("voice") for one in heard if one["decision"] == "accepted"} == {"Robert"}
    reasons = {one["reason"] for one in heard if one["decision"] == "rejected"}
    assert reasons == {"not_directed", "unknown_voice"}
    assert not any("voice" in one for one in heard if one["decision"] == "rejected")
    assert "knows Robert" in done.stderr


@pytest.mark.slow
def test_it_is_listed_removed_and_forgotten(house, tmp_path) -> None:
    file = tmp_path / "voices.json"
    file.write_bytes(house.read_bytes())
    row = r"20\d\d-\d\d-\d\d   5 utterances  Robert\n"
    assert re.fullmatch(row, voice("list", "--voices", file).stdout)
    listed = json.loads(voice("list", "--voices", file, "--json").stdout)
    assert listed["voices"][0]["name"] == "Robert" and "vectors" not in listed["voices"][0]
    assert "known: Robert" in voice("remove", "Anna", "--voices", file, status=2).stderr
    assert "known: nobody" in voice("remove", "Robert", "--voices", file).stdout
    assert voice("list", "--voices", file).stdout == "nobody is known\n"
    asked = voice("forget", "--voices", file, status=2, stdin=subprocess.DEVNULL)
    assert "--yes" in asked.stderr and file.exists()
    assert "is erased" in voice("forget", "--voices", file, "--yes").stdout and not file.exists()
    assert "is not there" in voice("forget", "--voices", file, "--yes", status=2).stderr


def test_only_a_file_of_voices_is_erased(tmp_path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Sir")
    refused = voice("forget", "--voices", letter, "--yes", status=2)
    assert "no file of voices" in refused.stderr and letter.exists()


def test_who_is_not_asked_is_not_added(said, tmp_path) -> None:
    file = tmp_path / "voices.json"
    arguments = ("add", "Robert", said["rms"], "--voices", file, *VAD)
    asked = voice(*arguments, status=2, stdin=subprocess.DEVNULL)
    assert "--yes" in asked.stderr and "agreed" in asked.stderr
    *consent, _ = asked.stderr.splitlines()
    assert len(consent) == 5 and str(file) in consent[0] and "\\n" not in asked.stderr
    nowhere = tmp_path / "nowhere" / "voices.json"
    refused = voice("add", "Robert", said["rms"], "--voices", nowhere, "--yes", *VAD, status=2)
    assert "no folder" in refused.stderr and "biometric" not in refused.stderr
    assert not file.exists()


@pytest.mark.slow
def test_who_says_no_is_not_added(said, tmp_path) -> None:
    file = tmp_path / "voices.json"
    with at_terminal("voice", "add", "Robert", said["rms"], "--voices", file) as terminal:
        terminal.wait_for("do you agree?")
        terminal.press("n\n")
        assert terminal.ended() == 0
    assert not file.exists()


@pytest.mark.slow
def test_two_people_in_one_recording_are_no_voice(said, tmp_path) -> None:
    both = tmp_path / "both.wav"
    parts = [soundfile.read(said[name], dtype="int16")[0][:100_000] for name in ("rms", "slt")]
    soundfile.write(both, np.concatenate(parts), 16_000)
    file = tmp_path / "voices.json"
    refused = voice("add", "Robert", both, "--voices", file, "--yes", *VAD, status=2)
    assert "sound like the same person" in refused.stderr and not file.exists()


@pytest.mark.slow
@pytest.mark.audio_server
def test_a_voice_is_added_at_the_microphone(sound_server, said, tmp_path) -> None:
    file = tmp_path / "voices.json"
    pcm, _ = soundfile.read(said["rms"], dtype="int16")
    arguments = ("voice", "add", "Robert", "--voices", file, "--yes", *VAD)
    _, errors = at_microphone(sound_server, pcm, "(1 of 5)", *arguments)
    assert "heard; that is all" in errors.splitlines()[-1]
    assert len(VoiceFile.read(file).voices["Robert"].vectors) >= 3
