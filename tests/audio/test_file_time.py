"""Time stamps that jump: stream time is a player's, and what is lacking is a gap."""

import contextlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.fakes import make_pipeline
from tests.support.sound_files import encode, restamp
from tests.support.sounds import chirp, correlation, pcm_of
from turbo_stream.audio._clock import Clock
from turbo_stream.audio.file import FileSource
from turbo_stream.audio.source import Block, Gap
from turbo_stream.evaluation.corpus.clip import read_clip

CODECS = {"webm": "libopus", "m4a": "aac", "ts": "aac", "mka": "libmp3lame"}


def heard(path: Path) -> tuple[float, list[tuple[float, float]]]:
    """Seconds of stream time, and where each gap begins and how long it is."""
    at, gaps = 0, []
    for item in FileSource(path):
        if isinstance(item, Gap):
            gaps.append((at / 16_000, item.lost_samples / 16_000))
            at += item.lost_samples
        else:
            at += len(item.pcm)
    return at / 16_000, gaps


def write(path: Path, seconds: float = 4.0) -> None:
    encode(path, [chirp(seconds, 48_000)], CODECS[path.suffix[1:]], 48_000)


@pytest.mark.parametrize("suffix", CODECS)
def test_a_recorder_that_paused(tmp_path, suffix):
    write(tmp_path / f"whole.{suffix}")
    paused = tmp_path / f"paused.{suffix}"
    restamp(tmp_path / f"whole.{suffix}", paused, lambda at: at + (20 if at > 2 else 0))
    assert heard(tmp_path / f"whole.{suffix}")[1] == [], "an encoder's delay is no gap"
    length, gaps = heard(paused)
    assert gaps == [pytest.approx((2, 20), abs=0.06)]
    assert length == pytest.approx(24, abs=0.06)


def test_packets_of_silence_that_were_left_out(tmp_path):
    write(tmp_path / "whole.webm")
    restamp(
        tmp_path / "whole.webm",
        tmp_path / "dtx.webm",
        lambda at: None if 1 < at < 1.5 or 2.5 < at < 3.25 else at,
    )
    length, gaps = heard(tmp_path / "dtx.webm")
    assert gaps == [pytest.approx((1, 0.5), abs=0.04), pytest.approx((2.5, 0.75), abs=0.04)]
    assert length == pytest.approx(4, abs=0.04)


@pytest.mark.parametrize("damage", ["zeros", "cut"])
@pytest.mark.parametrize(
    ("name", "rate"), [("a.opus", 48_000), ("a.ogg", 44_100), ("a.flac", 16_000)]
)
def test_a_damaged_middle_leaves_the_rest_in_its_place(tmp_path, name, rate, damage):
    kind = {"format": "OGG", "subtype": "OPUS"} if name == "a.opus" else {}
    soundfile.write(tmp_path / name, chirp(30, rate), rate, **kind)
    data = (tmp_path / name).read_bytes()
    start, length = len(data) // 2, len(data) // 5
    left = bytes(length) if damage == "zeros" else b""
    (tmp_path / name).write_bytes(data[:start] + left + data[start + length :])
    length, gaps = heard(tmp_path / name)
    assert len(gaps) == 1 and length == pytest.approx(30, abs=0.05)
    last = pcm_of(item for item in FileSource(tmp_path / name) if isinstance(item, Block))[-16_000:]
    expected = chirp(30, 16_000)[-16_000 - 640 :]
    assert max(correlation(last[:15_000], expected[at:][:15_000]) for at in range(1280)) > 0.98


def test_sound_that_begins_after_the_picture(tmp_path):
    encode(tmp_path / "late.mp4", [chirp(2, 48_000)], "aac", 48_000, late_s=3, picture=True)
    assert heard(tmp_path / "late.mp4")[1] == [pytest.approx((0, 3), abs=0.06)]


def test_a_clip_is_where_a_player_finds_it(tmp_path):
    write(tmp_path / "whole.webm")
    restamp(tmp_path / "whole.webm", tmp_path / "gap.webm", lambda at: at + (6 if at > 1.99 else 0))
    whole = read_clip(tmp_path / "whole.webm")
    after = read_clip(tmp_path / "gap.webm", 8.5, 1.0)
    assert len(after) == 16_000
    # This container counts milliseconds.
    assert max(correlation(after, whole[at:][:16_000]) for at in range(39_984, 40_017)) > 0.99
    assert not read_clip(tmp_path / "gap.webm", 3.0, 2.0).any()
    assert len(read_clip(tmp_path / "gap.webm", 1.0, 6.5)) == 104_000
    assert len(read_clip(tmp_path / "gap.webm")) == pytest.approx(160_000, abs=500)


def test_the_accounts_hold_across_a_gap(tmp_path):
    write(tmp_path / "whole.webm")
    restamp(tmp_path / "whole.webm", tmp_path / "gap.webm", lambda at: at + (20 if at > 2 else 0))
    events = list(make_pipeline().run(FileSource(tmp_path / "gap.webm")))
    (gap,) = (event for event in events if event.to_json()["event"] == "gap")
    done = events[-1].to_json()
    assert gap.lost_samples == done["lost_samples"] == pytest.approx(20 * 16_000, abs=1000)
    assert done["speech_s"] + done["silence_s"] + done["lost_samples"] / 16_000 == pytest.approx(
        24, abs=0.06
    )


def test_close_ends_a_realtime_file_in_a_gap(tmp_path):
    write(tmp_path / "whole.webm", 0.5)
    restamp(tmp_path / "whole.webm", tmp_path / "gap.webm", lambda at: at + (60 if at > 0.2 else 0))
    source = FileSource(tmp_path / "gap.webm", realtime=True)
    with contextlib.closing(iter(source)) as items:
        while not isinstance(next(items), Gap):
            pass
        source.close()
        assert next(items, None) is None


def clock_of(stamps: list[float | None], frame: int = 960) -> list[int]:
    clock = Clock(48_000)
    lost = []
    for stamp in stamps:
        lost.append(clock.lost_before(None if stamp is None else Fraction(stamp)))
        clock.hand_out(frame)
    return lost


def test_stamps_that_are_rounded_or_late_are_no_jump():
    exact = np.arange(500) * 0.02
    assert not any(clock_of(list(np.round(exact, 3))))
    assert not any(clock_of(list(exact + 0.03 * (np.arange(500) % 7 == 3))))
    assert not any(clock_of([None] * 10))


def test_small_losses_add_up():
    stamps = [at * 0.02 for at in range(500) if at % 10]
    assert sum(clock_of(stamps)) / 48_000 == pytest.approx(0.98, abs=0.05)


def test_stamps_that_begin_anew_take_nothing_back():
    first, second = [at * 0.02 for at in range(100)], [7 + at * 0.02 for at in range(100)]
    assert not any(clock_of([7 + at for at in first] + first))
    assert sum(clock_of(second + first + [9.0])) == 7 * 48_000
    assert not any(clock_of([*first, 1e9, 1e9 + 0.02]))
