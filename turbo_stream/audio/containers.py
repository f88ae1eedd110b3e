"""Sound files by their first bytes: what raw samples never begin with, but for chance."""

from collections.abc import Callable
from typing import NamedTuple

FIRST_BYTES = 12

_AT_0 = {
    b"RIFF": "WAV",
    b"RIFX": "WAV",
    b"RF64": "WAV",
    b"BW64": "WAV",
    b"riff": "W64",
    b"fLaC": "FLAC",
    b"OggS": "Ogg",
    b"ID3": "MP3",
    b"caff": "CAF",
    b"FORM": "AIFF",
    b".snd": "AU",
    b"dns.": "AU",
    b"\x1a\x45\xdf\xa3": "WebM or Matroska",
    b"#!AMR": "AMR",
    b"#!SILK": "SILK",
    b"\x02#!SILK": "SILK",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "WMA",
    b"FLV\x01": "FLV",
    b"wvPk": "WavPack",
    b"MAC ": "Monkey's Audio",
    b"TTA1": "TTA",
    b"MPCK": "Musepack",
    b"DSD ": "DSF",
    b"FRM8": "DSDIFF",
    b"NIST_1A": "SPHERE",
    b"Creative Voice": "VOC",
    b"2BIT": "AVR",
    b"MThd": "MIDI",
    b"ADIF": "AAC",
    b"\x00\x00\x01\xba": "MPEG",
    b"#EXTM3U": "M3U",
}
_MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"moof", b"styp", b"sidx", b"wide", b"free", b"skip"}

_TS_BYTES = 188

_BITRATES = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s by MPEG's version (2: also 2.5) and layer (2: also III of version 2)."""

_RATES = (44_100, 48_000, 32_000)
"""Hertz of version 1; half of it in version 2, a quarter in 2.5."""


class _Framed(NamedTuple):
    """A format that is a row of frames and has no header: known by several in a row."""

    name: str
    in_a_row: int
    frame_bytes: Callable[[bytes], int]
    """How long the frame is that begins the bytes; 0 if none does."""
    header_bytes: int


def container(head: bytes) -> str | None:
    """Return the name of the format if `head`, the first bytes of a stream, is of a sound file."""
    if head[4:8] in _MP4_BOXES:
        return "MP4"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "AVI"
    for signature, name in _AT_0.items():
        if head.startswith(signature):
            return name
    for framed in _FRAMED:
        _, complete = _follow(framed, head)
        if complete:
            return framed.name
    return None


def bytes_to_judge(head: bytes) -> int:
    """Return how long `head` has to be before `container` is sure; no more is needed if it is."""
    wanted = [_follow(framed, head)[0] for framed in _FRAMED] if head else []
    return max(FIRST_BYTES, *wanted) if wanted else FIRST_BYTES


def _follow(framed: _Framed, head: bytes) -> tuple[int, bool]:
    """Return up to where it has to be read to be sure, 0 if it is sure, and whether it is one."""
    at = 0
    for _ in range(framed.in_a_row):
        if len(head) < at + framed.header_bytes:
            return at + framed.header_bytes, False
        length = framed.frame_bytes(head[at : at + framed.header_bytes])
        if length == 0:
            return 0, False
        at += length
    return 0, True


def _mpeg_frame(header: bytes) -> int:
    first, second, third = header[0], header[1], header[2]
    version, layer = {0: 4, 2: 2, 3: 1}.get(second >> 3 & 3, 0), 4 - (second >> 1 & 3)
    bitrate, rate = third >> 4, third >> 2 & 3
    if first != 0xFF or second < 0xE0 or not version or layer == 4 or rate == 3:
        return 0
    if bitrate in (0, 15):
        return 0
    low = version > 1
    kbits = _BITRATES[(2, min(layer, 2)) if low else (1, layer)][bitrate - 1]
    hertz, padding = _RATES[rate] // version, third >> 1 & 1
    if layer == 1:
        return (12_000 * kbits // hertz + padding) * 4
    return (72_000 if low and layer == 3 else 144_000) * kbits // hertz + padding


def _adts_frame(header: bytes) -> int:
    if header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return length if length > 7 else 0


def _ac3_frame(header: bytes) -> int:
    if header[:2] != b"\x0b\x77" or header[4] >> 6 != 0 or header[4] & 63 > 37:
        return 0
    kbits = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
    return kbits[(header[4] & 63) // 2] * 4


_FRAMED = (
    _Framed("MP3", 3, _mpeg_frame, 4),
    _Framed("AAC", 3, _adts_frame, 7),
    _Framed("AC-3", 3, _ac3_frame, 5),
    _Framed("MPEG-TS", 4, lambda header: _TS_BYTES if header[0] == 0x47 else 0, 1),
)
