"""Sound files of all kinds, and damage done to them by chance."""

import io
import itertools
import struct

import av
import numpy as np
import soundfile

_BY_SNDFILE = [
    ("WAV", "PCM_16"), ("WAV", "PCM_U8"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAV", "ULAW"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"),
    ("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16"),
    ("AIFF", "FLOAT"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16"), ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
    ("VOC", "PCM_16"), ("NIST", "PCM_16"), ("IRCAM", "PCM_16"), ("SVX", "PCM_16"),
    ("AVR", "PCM_16"), ("PAF", "PCM_16"), ("MAT5", "PCM_16"), ("SDS", "PCM_16"), ("XI", "DPCM_16"),
]  # fmt: skip

_BY_FFMPEG = [
    ("mp4", "aac", "fltp"), ("adts", "aac", "fltp"), ("matroska", "flac", "s16"),
    ("webm", "libopus", "flt"), ("ogg", "flac", "s16"), ("mp2", "mp2", "s16"),
    ("ac3", "ac3", "fltp"), ("wv", "wavpack", "s16p"), ("tta", "tta", "s16"),
    ("avi", "pcm_s16le", "s16"), ("mov", "alac", "s16p"), ("asf", "wmav2", "fltp"),
    ("mpegts", "mp2", "s16"), ("flv", "aac", "fltp"), ("amr", "libopencore_amrnb", "s16"),
]  # fmt: skip

_TELLING = [0, 1, 2, 3, 63, 64, 65, 127, 128, 132, 255, 256, 999, 1000, 1024, 7350, 0x7FFF, 0x8000]
_TELLING += [0xFFFE, 0xFFFF, 192_000, 1_000_000, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
"""Numbers at the edges of what a field may hold."""


def _by_ffmpeg(pcm: np.ndarray, container: str, codec: str, form: str) -> bytes:
    file = io.BytesIO()
    rate = 8_000 if "amr" in codec else 48_000 if "opus" in codec else 16_000
    rate = 32_000 if codec in ("ac3", "mp2") else rate
    with av.open(file, "w", format=container) as written:
        stream = written.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm[None], "s16", "mono")
        frame.sample_rate, frame.pts = 16_000, 0
        stream.codec_context.open()
        cut = av.AudioResampler(form, "mono", rate, stream.codec_context.frame_size or 1024)
        for part in (*cut.resample(frame), *cut.resample(None)):
            written.mux(stream.encode(part))
        written.mux(stream.encode(None))
    return file.getvalue()


def files(pcm: np.ndarray) -> dict[str, bytes]:
    """`pcm`, 16 kHz, in each kind of file that can be written here; some of two channels."""
    found = {}
    for kind, subtype in _BY_SNDFILE:
        file = io.BytesIO()
        two = subtype in ("PCM_16", "VORBIS") and kind not in ("SVX", "SDS", "XI", "VOC")
        try:
            sound = np.stack([pcm, pcm], axis=1) if two else pcm
            soundfile.write(file, sound, 16_000, format=kind, subtype=subtype)
        except (soundfile.SoundFileError, ValueError):
            continue
        found[f"{kind} {subtype}"] = file.getvalue()
    for container, codec, form in _BY_FFMPEG:
        try:
            found[f"{container} {codec}"] = _by_ffmpeg(pcm, container, codec, form)
        except (av.FFmpegError, ValueError):
            continue
    return found


def _place(data: bytearray, chance: np.random.Generator) -> int:
    """A byte, mostly one of the header."""
    end = len(data) if chance.random() < 0.3 else min(len(data), 200)
    return int(chance.integers(end))


def _set_number(data: bytearray, chance: np.random.Generator) -> None:
    code = str(chance.choice(["<H", ">H", "<I", ">I", "<Q", ">Q", "<B"]))
    at = _place(data, chance)
    value = int(chance.choice(_TELLING)) % 256 ** struct.calcsize(code)
    data[at : at + struct.calcsize(code)] = struct.pack(code, value)


def _set_bytes(data: bytearray, chance: np.random.Generator) -> None:
    for _ in range(int(chance.integers(1, 20))):
        data[_place(data, chance)] = int(chance.integers(256))


def _flip_bit(data: bytearray, chance: np.random.Generator) -> None:
    data[_place(data, chance)] ^= 1 << int(chance.integers(8))


def _truncate(data: bytearray, chance: np.random.Generator) -> None:
    del data[_place(data, chance) + 1 :]


def _cut_out(data: bytearray, chance: np.random.Generator) -> None:
    at = _place(data, chance)
    del data[at : at + int(chance.integers(1, 400))]


def _repeat(data: bytearray, chance: np.random.Generator) -> None:
    at, length = _place(data, chance), int(chance.integers(1, 2_000))
    piece = bytes(data[at : at + length])
    data[at:at] = piece * int(chance.integers(1, 40))


def _swap(data: bytearray, chance: np.random.Generator) -> None:
    first, second = sorted((_place(data, chance), _place(data, chance)))
    length = int(chance.integers(1, 64))
    one, other = data[first : first + length], data[second : second + length]
    data[first : first + length], data[second : second + length] = other, one


def _blank(data: bytearray, chance: np.random.Generator) -> None:
    at = _place(data, chance)
    length = min(len(data) - at, int(chance.integers(1, 5_000)))
    data[at : at + length] = bytes([int(chance.choice([0, 0xFF]))]) * length


_DAMAGE = [_set_number, _set_number, _set_number, _set_bytes, _flip_bit, _truncate, _cut_out]
_DAMAGE += [_repeat, _swap, _blank]


def mutated(known: dict[str, bytes], chance: np.random.Generator) -> tuple[str, bytes]:
    """One of the files, or several joined, with some damage; and what it was."""
    names = sorted(known)
    chosen = [str(chance.choice(names))]
    if chance.random() < 0.15:
        chosen += [str(chance.choice(names)) for _ in range(int(chance.integers(1, 4)))]
    data = bytearray(b"".join(known[name] for name in chosen))
    for _ in itertools.repeat(None, int(chance.integers(0 if len(chosen) > 1 else 1, 5))):
        if data:
            _DAMAGE[int(chance.integers(len(_DAMAGE)))](data, chance)
    return " + ".join(chosen), bytes(data)
