"""Real files of every kind, written here by libsndfile and FFmpeg."""

import threading
import time
import tracemalloc
from fractions import Fraction

import av
import numpy as np
import pytest
import soundfile
import soxr

from tests.support.sounds import chirp, correlation, pcm_of
from turbo_stream.audio.file import FileSource
from turbo_stream.errors import InputError


def write_with_ffmpeg(path, samples: np.ndarray, rate: int, codec: str) -> None:
    """Encode float `[N, C]` samples; the container follows from the suffix."""
    layout = {1: "mono", 2: "stereo", 8: "7.1"}[samples.shape[1]]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        packed = codec.startswith("pcm")
        planes = samples.reshape(1, -1) if packed else samples.T
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(planes, dtype=np.float32), "flt" if packed else "fltp", layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)


def reference(samples: np.ndarray, rate: int) -> np.ndarray:
    """What 16 kHz int16 should be: one call of soxr over the whole signal."""
    resampled = soxr.resample(samples.astype(np.float32), rate, 16_000, quality="HQ")
    return np.clip(np.rint(resampled * 32768), -32768, 32767).astype(np.int16)


def test_16_khz_pcm_comes_back_bit_for_bit(tmp_path):
    samples = np.random.default_rng(0).integers(-32768, 32768, 40_001).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, 16_000)
    assert np.array_equal(pcm_of(FileSource(tmp_path / "a.wav")), samples)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_any_rate_is_resampled_as_in_one_go(tmp_path, rate):
    signal = chirp(2.5, rate)
    soundfile.write(tmp_path / "a.wav", signal, rate, subtype="FLOAT")
    pcm, expected = pcm_of(FileSource(tmp_path / "a.wav")), reference(signal, rate)
    assert len(pcm) == len(expected)
    assert np.abs(pcm.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("suffix", "subtype", "tolerance"),
    [
        ("wav", "PCM_U8", 257),
        ("wav", "PCM_16", 1),
        ("wav", "PCM_24", 1),
        ("wav", "PCM_32", 1),
        ("wav", "FLOAT", 1),
        ("wav", "DOUBLE", 1),
        ("wav", "ULAW", 600),
        ("flac", "PCM_24", 1),
        ("aiff", "PCM_16", 1),
        ("w64", "PCM_16", 1),
    ],
)
def test_sample_formats(tmp_path, suffix, subtype, tolerance):
    signal = chirp(1.0, 16_000)
    soundfile.write(tmp_path / f"a.{suffix}", signal, 16_000, subtype=subtype)
    pcm = pcm_of(FileSource(tmp_path / f"a.{suffix}"))
    assert len(pcm) == 16_000
    assert np.abs(pcm - np.rint(signal * 32768)).max() <= tolerance


@pytest.mark.parametrize("suffix", ["ogg", "opus", "mp3"])
def test_lossy_files_written_by_libsndfile(tmp_path, suffix):
    rate = 48_000 if suffix == "opus" else 44_100
    signal = chirp(2.0, rate)
    kind = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    soundfile.write(tmp_path / f"a.{suffix}", signal, rate, **kind)
    pcm = pcm_of(FileSource(tmp_path / f"a.{suffix}"))
    assert abs(len(pcm) - 32_000) <= 500
    assert correlation(pcm[:30_000], reference(signal, rate)[:30_000]) > 0.98


@pytest.mark.parametrize(
    ("name", "codec", "rate"),
    [
        ("a.m4a", "aac", 44_100),
        ("a.mp4", "aac", 48_000),
        ("a.aac", "aac", 22_050),
        ("a.webm", "libopus", 48_000),
        ("a.mka", "pcm_f32le", 32_000),
    ],
)
def test_files_only_ffmpeg_reads(tmp_path, name, codec, rate):
    signal = chirp(2.0, rate)
    write_with_ffmpeg(tmp_path / name, np.stack([signal, signal], axis=1), rate, codec)
    pcm, expected = pcm_of(FileSource(tmp_path / name)), reference(signal, rate)
    assert abs(len(pcm) - 32_000) <= 1600
    # A bare AAC stream keeps the encoder's delay, which only a container can declare.
    delays = range(0, 2400) if name == "a.aac" else range(-20, 20)
    best = max(correlation(pcm[4000 + d : 24_000 + d], expected[4000:24_000]) for d in delays)
    assert best > 0.98


def test_channels_are_averaged_or_picked(tmp_path):
    tones = np.stack([chirp(1.0, 16_000, 100 * (c + 1), 200 * (c + 1)) for c in range(8)], axis=1)
    soundfile.write(tmp_path / "array.wav", tones, 16_000)
    mixed = pcm_of(FileSource(tmp_path / "array.wav"))
    assert np.abs(mixed - tones.mean(axis=1) * 32768).max() <= 2
    for channel in (0, 3, 7):
        picked = pcm_of(FileSource(tmp_path / "array.wav", channel=channel))
        assert np.abs(picked - tones[:, channel] * 32768).max() <= 1


@pytest.mark.parametrize("channel", [-1, 2, 99])
def test_a_channel_the_file_lacks_is_refused(tmp_path, channel):
    soundfile.write(tmp_path / "two.wav", np.zeros((100, 2)), 16_000)
    with pytest.raises(InputError, match=rf"no channel {channel}: it has 2.*choose 0 to 1"):
        FileSource(tmp_path / "two.wav", channel=channel)


def test_surround_of_ffmpeg_keeps_its_channels(tmp_path):
    tones = np.stack([chirp(1.0, 48_000, 200 * (c + 1), 300 * (c + 1)) for c in range(8)], axis=1)
    write_with_ffmpeg(tmp_path / "array.mka", tones, 48_000, "pcm_f32le")
    expected = reference(tones[:, 5], 48_000)
    picked = pcm_of(FileSource(tmp_path / "array.mka", channel=5))
    assert len(picked) == len(expected)
    assert np.abs(picked.astype(int) - expected).max() <= 1


def test_loud_samples_saturate(tmp_path):
    signal = (4 * chirp(1.0, 16_000)).astype(np.float32)
    soundfile.write(tmp_path / "loud.wav", signal, 16_000, subtype="FLOAT")
    pcm = pcm_of(FileSource(tmp_path / "loud.wav"))
    assert np.array_equal(pcm, np.clip(np.rint(signal * 32768), -32768, 32767).astype(np.int16))
    assert pcm.min() == -32768 and pcm.max() == 32767


def test_a_constant_stays_constant(tmp_path):
    soundfile.write(tmp_path / "dc.wav", np.full(48_000, 0.25), 48_000, subtype="FLOAT")
    pcm = pcm_of(FileSource(tmp_path / "dc.wav"))
    assert len(pcm) == 16_000
    assert np.abs(pcm[500:-500].astype(int) - 8192).max() <= 1


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_samples_that_are_no_number_become_silence_and_are_reported_once(tmp_path, rate):
    signal = chirp(3.0, rate)
    signal[rate : rate + 100] = np.nan
    signal[2 * rate], signal[2 * rate + 1] = np.inf, -np.inf
    soundfile.write(tmp_path / "nan.wav", signal, rate, subtype="FLOAT")
    source = FileSource(tmp_path / "nan.wav")
    pcm = pcm_of(source)
    clean = np.where(np.isfinite(signal), signal, 0)
    assert np.abs(pcm.astype(int) - reference(clean, rate)).max() <= 1
    assert len(source.notices) == 1 and "\n" not in source.notices[0]


def test_absurd_values_do_not_poison_the_filter(tmp_path):
    signal = chirp(1.0, 44_100)
    signal[22_050] = 1e38
    soundfile.write(tmp_path / "spike.wav", signal, 44_100, subtype="FLOAT")
    pcm = pcm_of(FileSource(tmp_path / "spike.wav"))
    expected = reference(chirp(1.0, 44_100), 44_100)
    far = np.r_[0:7500, 8500:16_000]
    assert np.abs(pcm[far].astype(int) - expected[far]).max() <= 64


def make_wav(path, seconds=1.0):
    soundfile.write(path, chirp(seconds, 16_000), 16_000)
    return path.read_bytes()


def test_a_truncated_wav_is_read_as_far_as_it_goes(tmp_path):
    data = make_wav(tmp_path / "whole.wav")
    whole = pcm_of(FileSource(tmp_path / "whole.wav"))
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    pcm = pcm_of(FileSource(tmp_path / "cut.wav"))
    assert len(pcm) == (len(data) // 2 - 44) // 2
    assert np.array_equal(pcm, whole[: len(pcm)])


def test_a_truncated_flac_is_read_as_far_as_it_goes(tmp_path):
    soundfile.write(tmp_path / "whole.flac", chirp(4.0, 16_000), 16_000)
    data = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(data[: len(data) // 2])
    pcm = pcm_of(FileSource(tmp_path / "cut.flac"))
    whole = pcm_of(FileSource(tmp_path / "whole.flac"))
    assert len(pcm) > 16_000
    assert np.array_equal(pcm, whole[: len(pcm)])


def write_bad(kind, folder):
    path = folder / f"{kind}.wav"
    if kind == "directory":
        path.mkdir()
    elif kind == "zero_bytes":
        path.write_bytes(b"")
    elif kind == "no_samples":
        soundfile.write(path, np.zeros(0), 16_000)
    elif kind == "text":
        path.write_text("This is a shopping list: milk, bread, two onions.\n" * 50)
    elif kind == "cut_in_header":
        path.write_bytes(make_wav(folder / "whole.wav")[:20])
    elif kind == "header_only":
        path.write_bytes(make_wav(folder / "whole.wav")[:44])
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(1).bytes(20_000))
    elif kind == "picture":
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    elif kind == "cut_m4a":
        path = folder / "cut.m4a"
        write_with_ffmpeg(path, chirp(1.0, 44_100)[:, None], 44_100, "aac")
        path.write_bytes(path.read_bytes()[:3000])
    elif kind == "no_header":
        path = folder / "samples.raw"
        path.write_bytes(bytes(3200))
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "no such file"),
        ("directory", "is a directory"),
        ("zero_bytes", "0 bytes"),
        ("no_samples", "no samples"),
        ("text", "not a sound file"),
        ("cut_in_header", "not a sound file"),
        ("header_only", "no samples"),
        ("noise", "not a sound file"),
        ("picture", "not a sound file"),
        ("cut_m4a", "not a sound file"),
        ("no_header", "has no header"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, kind, message, capfd):
    path = write_bad(kind, tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        FileSource(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.exit_code == 2
    assert capfd.readouterr() == ("", "")


def test_a_long_file_is_never_held_in_memory(tmp_path):
    hours = 10
    header = make_wav(tmp_path / "short.wav")[:44]
    size = hours * 3600 * 32_000
    with (tmp_path / "long.wav").open("wb") as file:
        file.write(header[:4] + (size + 36).to_bytes(4, "little") + header[8:40])
        file.write(size.to_bytes(4, "little"))
        file.truncate(44 + size)
    heard = 0
    tracemalloc.start()
    for item in FileSource(tmp_path / "long.wav"):
        heard += len(item.pcm)
        if heard > 60 * 16_000:
            break
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert heard > 60 * 16_000
    assert peak < 1_000_000


def test_a_source_can_be_heard_again(tmp_path):
    make_wav(tmp_path / "a.wav")
    source = FileSource(tmp_path / "a.wav")
    assert np.array_equal(pcm_of(source), pcm_of(source))


def test_realtime_hands_out_blocks_when_they_were_spoken(tmp_path):
    make_wav(tmp_path / "a.wav", 0.6)
    source = FileSource(tmp_path / "a.wav", realtime=True)
    assert source.live and not FileSource(tmp_path / "a.wav").live
    started, heard = time.monotonic(), 0
    for item in source:
        assert len(item.pcm) <= 512
        heard += len(item.pcm)
        late = time.monotonic() - started - heard / 16_000
        assert -0.005 < late < 0.2
    assert heard == 9600


def test_close_ends_a_realtime_file_at_once(tmp_path):
    make_wav(tmp_path / "a.wav", 30.0)
    source = FileSource(tmp_path / "a.wav", realtime=True)
    threading.Timer(0.25, source.close).start()
    started = time.monotonic()
    heard = len(pcm_of(source))
    assert time.monotonic() - started < 2
    assert heard < 30 * 16_000
    source.close()
    assert list(source) == []
