"""The measurement of known voices, on made vectors and on made sound."""

import json

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from tools.measurements.voices import record
from tools.measurements.voices.__main__ import main
from tools.measurements.voices.trials import Recorded, Trials, trials
from turbo_stream.voices.encoder import VoiceEncoder


def made(apart: float, speakers: int = 12, each: int = 6) -> Recorded:
    """Utterances around the place of their speaker, `apart` from those of the others."""
    rng = np.random.default_rng(1)
    places = rng.normal(size=(speakers, 16)) * apart
    vectors = np.repeat(places, each, axis=0) + rng.normal(size=(speakers * each, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    count = speakers * each
    speaker = np.repeat([f"s{number}" for number in range(speakers)], each)
    return Recorded(
        vectors=vectors.astype(np.float32),
        channel=rng.normal(size=(count, 80)).astype(np.float32),
        corpus=np.full(count, "made"),
        speaker=speaker,
        gender=np.where(np.char.endswith(speaker, "1"), "f", "m"),
        clip=np.arange(count),
        condition=np.full(count, "clean"),
        cut=np.zeros(count, np.int64),
        seconds=np.full(count, 2.0),
    )


def test_voices_apart_are_told_apart_and_the_same_are_not() -> None:
    assert trials(made(9.0), "made", enrol=3).equal_error() < 0.01
    assert trials(made(0.0), "made", enrol=3).equal_error() == pytest.approx(0.5, abs=0.08)
    channel = trials(made(9.0).by_channel(), "made", enrol=3)
    assert channel.equal_error() == pytest.approx(0.5, abs=0.08)


def test_what_made_a_voice_is_not_judged_by_it() -> None:
    found = trials(made(1.0), "made", enrol=4, draws=1)
    assert found.own.sum() == 12 * 2 and (~found.own).sum() == 12 * 11 * 2
    assert found.speakers == 12
    assert trials(made(1.0), "made", enrol=6) is None


def test_in_a_house_the_nearest_voice_counts() -> None:
    one = trials(made(2.0), "made", enrol=3, draws=1)
    four = trials(made(2.0), "made", enrol=3, draws=1, house=4)
    assert four.score[~four.own].mean() > one.score[~one.own].mean() + 0.1


def test_the_equal_error_is_where_both_errors_meet() -> None:
    score = np.array([0.1, 0.9, 0.8, 0.7, 0.2, 0.3, 0.75, 0.4])
    own = np.array([True] * 4 + [False] * 4)
    names = np.array([f"s{number}" for number in range(8)])
    found = Trials(score, own, names, names, np.ones(8))
    assert found.equal_error() == 0.25
    assert found.errors() == (0.5, 0.25)
    low, high = found.within()
    assert 0 <= low <= 0.25 <= high <= 1


def test_the_tables_are_printed(tmp_path) -> None:
    path = tmp_path / "made.npz"
    np.savez(path, **made(2.0).__dict__)
    done = CliRunner().invoke(main, [str(path)], catch_exceptions=False)
    assert done.exit_code == 0
    for title in ("by utterances that made the voice", "by what is judged", "by who the others"):
        assert title in done.output
    assert "made" in done.output and "house of 4" in done.output


@pytest.mark.slow
def test_speech_becomes_vectors_of_who_said_it(tmp_path, kitchen_pcm, kitchen_spans) -> None:
    rows = []
    for number, span in enumerate(kitchen_spans[:6]):
        start, end = (int(16_000 * span[edge]) for edge in ("start_s", "end_s"))
        soundfile.write(tmp_path / f"{number}.wav", kitchen_pcm[start:end], 16_000)
        rows.append({"audio_filepath": f"{number}.wav", "speaker": span["voice"], "set": "ravdess"})
    rows.append({**rows[0], "set": "coffee_commands"})  # its speakers are not known
    lines = "\n".join(map(json.dumps, rows))
    for name, content in (("speech", lines), ("emotion", ""), ("acted_dialogue", "")):
        (tmp_path / f"{name}.jsonl").write_text(content)
    noise = np.random.default_rng(0).normal(scale=500, size=20_000).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", noise, 16_000)
    (tmp_path / "noise.jsonl").write_text('{"audio_filepath": "noise.wav"}')
    out = tmp_path / "vectors.npz"
    arguments = [str(tmp_path), str(out), "acted emotion"]
    assert CliRunner().invoke(record.main, arguments, catch_exceptions=False).exit_code == 0
    found = Recorded.read([out])
    assert set(found.speaker) == {"rms", "slt", "awb"} and set(found.condition) == {
        "clean",
        "10 dB",
    }
    whole = found.part("acted emotion", "clean", 0)
    assert len(whole) == 6 and len(np.unique(found.clip[whole])) == 6
    pcm, _ = soundfile.read(tmp_path / "0.wav", dtype="int16")
    nearest = (found.vectors[whole] @ VoiceEncoder().vector(pcm)).max()
    assert nearest > 0.999
    assert (found.seconds[found.part("acted emotion", "clean", 1)] == 1).all()
