"""Channels made one, and tracks chosen."""

import numpy as np
import pytest
import soundfile

from tests.support.sound_files import encode
from tests.support.sounds import chirp, correlation, pcm_of
from turbo_stream import open_source
from turbo_stream.audio.file import FileSource
from turbo_stream.audio.mixer import Mixer
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import read_clip

RATE = 16_000
SWEEP = chirp(3.0, RATE)
NOISE = np.random.default_rng(0).normal(0, 0.1, (len(SWEEP), 8))


def heard(path, *channels: np.ndarray, rate=RATE) -> tuple[np.ndarray, list[str]]:
    soundfile.write(path, np.stack(channels, axis=1), rate, subtype="FLOAT")
    source = FileSource(path)
    return pcm_of(source), source.notices


@pytest.mark.parametrize("gain", [1.0, 0.8])
def test_opposite_channels_are_heard_and_told(tmp_path, gain):
    pcm, notices = heard(tmp_path / "a.wav", SWEEP, -gain * SWEEP)
    assert correlation(pcm, SWEEP) > 0.999
    assert np.abs(pcm).max() > 0.4 * 32_768
    assert len(notices) == 1 and "\n" not in notices[0]
    assert "channel 1 is of opposite phase" in notices[0] and "`channel`" in notices[0]
    assert np.array_equal(read_clip(tmp_path / "a.wav"), pcm), "evaluated as it is heard"
    assert FileSource(tmp_path / "a.wav", channel=1).notices == []


def test_no_other_speaker_is_lost_when_a_channel_is_turned_over(tmp_path):
    caller = np.concatenate([np.zeros(RATE), chirp(2.0, RATE, 3000, 4000)])
    pcm, _ = heard(tmp_path / "a.wav", SWEEP, -SWEEP + caller)
    later = pcm[RATE:].astype(float)
    assert abs(correlation(later, caller[RATE:])) > 0.3


def test_half_of_eight_channels_turned(tmp_path):
    pcm, notices = heard(tmp_path / "a.wav", *[SWEEP if c % 2 else -SWEEP for c in range(8)])
    assert abs(correlation(pcm, SWEEP)) > 0.999
    assert "channels 1, 3, 5, 7 are of opposite phase" in notices[0]


def test_from_digital_silence_nothing_of_the_onset_is_lost(tmp_path):
    sound = np.concatenate([np.zeros(RATE), SWEEP])
    pcm, _ = heard(tmp_path / "a.wav", sound, -sound)
    assert np.abs(pcm[RATE : RATE + 1000]).max() > 0.4 * 32_768


@pytest.mark.parametrize(
    "channels",
    [
        (SWEEP, 0 * SWEEP),
        (0 * SWEEP, 0 * SWEEP),
        (SWEEP, *[0 * SWEEP] * 7),
        tuple(NOISE.T),
        (SWEEP, np.roll(SWEEP, 192)),
        (SWEEP, 0.5 * np.sin(np.arange(len(SWEEP)) * 2 * np.pi * 50 / RATE)),
        (SWEEP, -0.3 * SWEEP),
        (np.full(len(SWEEP), 1 / 32_768), np.full(len(SWEEP), -1 / 32_768)),
    ],
    ids=["dead", "silence", "one of eight", "unrelated", "apart", "hum", "residue", "rounding"],
)
def test_what_does_not_cancel_is_averaged_as_ever(tmp_path, channels):
    pcm, notices = heard(tmp_path / "a.wav", *channels)
    mean = np.mean(np.stack(channels).astype(np.float32), axis=0)
    assert np.abs(pcm - np.rint(mean * 32_768)).max() <= 1
    assert notices == []


def test_the_track_that_is_heard_is_told_and_another_can_be_chosen(tmp_path):
    sound = chirp(2.0, 48_000)
    encode(tmp_path / "two.mkv", [0 * sound, sound], "aac", 48_000)
    source = open_source(tmp_path / "two.mkv")
    (notice,) = source.notices
    assert "2 audio tracks" in notice and "track 0 is heard" in notice and "`track`" in notice
    assert np.abs(pcm_of(source)).max() < 10
    chosen = open_source(tmp_path / "two.mkv", track=1)
    assert np.abs(pcm_of(chosen)).max() > 10_000
    assert chosen.notices == []


@pytest.mark.parametrize("track", [-1, 2])
def test_a_track_the_file_lacks_is_refused(tmp_path, track):
    encode(tmp_path / "two.mkv", [chirp(1.0, 48_000)] * 2, "aac", 48_000)
    with pytest.raises(InputError, match=rf"no audio track {track}: it has 2.*choose 0 to 1"):
        open_source(tmp_path / "two.mkv", track=track)


def test_what_has_no_tracks_has_none_to_choose(tmp_path):
    soundfile.write(tmp_path / "a.wav", SWEEP, RATE)
    assert len(pcm_of(open_source(tmp_path / "a.wav", track=0))) == len(SWEEP)
    with pytest.raises(InputError, match="no audio track 1: it has 1, counted from 0; choose 0,"):
        open_source(tmp_path / "a.wav", track=1)
    for source in (None, "-"):
        with pytest.raises(InputError, match="`track` is 0.*no tracks"):
            open_source(source, track=0)


def test_broken_data_of_any_loudness_is_mixed_without_a_warning(recwarn) -> None:
    mixer = Mixer(16_000)
    loud = np.full((1600, 2), np.finfo(np.float32).max, np.float32)
    for frames in (loud, -loud, loud * np.array([1, -1], np.float32), loud * 0):
        assert np.isfinite(mixer.mix(frames)).all()
    assert not recwarn.list
