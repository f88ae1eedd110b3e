"""FFmpeg, through the copy that PyAV brings: MP3, MP4, Ogg, WebM and whatever else it reads."""

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from typing import Any, BinaryIO

from turbo_stream._util.shown import shown
from turbo_stream.audio._bounds import check_bounds
from turbo_stream.audio._clock import TOLERANCE_S, Clock
from turbo_stream.audio._convert import Converter, refusal
from turbo_stream.audio._ogg import Tail, next_link
from turbo_stream.audio._unread import told_of_unread, unread_bytes
from turbo_stream.audio.frames import Frames, Lost, Undecodable
from turbo_stream.errors import InputError

_ALONE = {"protocol_whitelist": "none"}
"""A playlist, or a file that names others, opens no file and no address."""

_MICROSECONDS = 1_000_000

_MOST_SILENT_LINKS = 64
"""Of an Ogg file: so many beginnings of which none is followed by sound, and it has ended.

Opening one takes a look at megabytes behind it, and a beginning is 6 bytes.
"""


class AvDecoder:
    """One audio track of an open file; see `Decoder`."""

    def __init__(self, file: BinaryIO, name: str, track: int | None = None) -> None:
        """Decode the first frame, which alone tells the true rate.

        Args:
            file: `close` closes it.
            name: of the file, for messages.
            track: which audio track to hear, counted from 0; None is the one FFmpeg takes for
                the main one.

        Raises:
            Undecodable: FFmpeg finds no sound in it.
            InputError: it has no such track, or more channels or samples a second than are read.
        """
        self._file = file
        self._name = name
        self.notices: list[str] = []
        self._container = _opened(file)
        try:
            self._stream = self._chosen(track)
            self._check_said()
            self._damaged = self._joined = False
            self._end = self._silent_links = 0
            self._frames = self._decode()
            self._first = next(self._frames, None)
            if self._first is None:
                raise Undecodable("FFmpeg: no sample of its audio stream decodes")
            # The container's own figure is wrong for HE-AAC, whose decoder doubles the rate.
            self.rate: int = self._first.sample_rate
            self.channels: int = self._first.layout.nb_channels
            check_bounds(name, self.rate, self.channels)
            self._layout: str = self._first.layout.name
            self._clock = Clock(self.rate, self._late_s())
        except BaseException as error:
            self._container.close()
            if isinstance(error, Exception) and not isinstance(error, Undecodable | InputError):
                # What a damaged header leaves out is None in PyAV, or raises when it is asked for.
                raise Undecodable(f"FFmpeg: {refusal(error)}") from error
            raise

    def blocks(self) -> Iterator[Frames | Lost]:
        """Yield `[N, C]` float32 blocks, about one for each decoded frame, and lost time."""
        converter = Converter(self._layout, self.rate, self.channels)
        clock = self._clock
        frame = self._first
        while frame is not None:
            stamp_s = _stamp_s(frame)
            try:
                blocks = converter.converted(frame)
            except Undecodable as error:
                self._damaged = True
                self._tell(f"{self._name} is damaged ({error}); the rest is heard")
                frame = next(self._frames, None)
                continue
            if self._joined:
                clock.restart()
                self._joined = False
            lost = clock.lost_before(stamp_s)
            if lost:
                cause = "damage in the file" if self._damaged else "no sound in the file"
                yield Lost(lost, cause)
            self._damaged = False
            for samples in blocks:
                clock.hand_out(len(samples))
                yield samples
            frame = next(self._frames, None)
        # In other containers what follows the sound may be anything.
        unread = unread_bytes(self._file, self._end) if self._container.format.name == "wav" else 0
        if unread:
            self.notices.append(told_of_unread(self._name, unread))

    def _chosen(self, track: int | None) -> Any:
        tracks = self._container.streams.audio
        if not tracks:
            raise Undecodable("FFmpeg: no audio stream in it")
        if track is not None:
            if not 0 <= track < len(tracks):
                raise InputError(no_such_track(self._name, track, len(tracks)))
            return tracks[track]
        best = self._container.streams.best("audio") or tracks[0]
        if len(tracks) > 1:
            said = [_described(number, one) for number, one in enumerate(tracks)]
            heard = next(n for n, one in enumerate(tracks) if one.index == best.index)
            self.notices.append(
                f"{self._name} has {len(tracks)} audio tracks ({', '.join(said)}); track {heard} "
                "is heard, choose another with `track`"
            )
        return best

    def _check_said(self) -> None:
        """Check what the header says, before a decoder reserves memory for it."""
        said = self._stream.codec_context
        if said is None:
            raise Undecodable("FFmpeg: no decoder of its audio stream")
        rate, channels = said.sample_rate or 0, said.layout.nb_channels
        if rate and channels:
            check_bounds(self._name, rate, channels)

    def _tell(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)

    def _late_s(self) -> Fraction:
        """Return how long after the file's other tracks, such as a picture, the sound begins."""
        of_all, own = self._container.start_time, self._stream.start_time
        if of_all is None or own is None:
            return Fraction(0)
        late_s = own * Fraction(self._stream.time_base) - Fraction(of_all, _MICROSECONDS)
        return late_s if late_s > TOLERANCE_S else Fraction(0)

    def _decode(self) -> Iterator[Any]:
        """Yield decoded frames; undecodable packets are skipped, a damaged end is the end."""
        begins = 0
        while True:
            damage = yield from self._decode_link(begins)
            following = self._open_link_after(begins + 1)
            if following is None:
                if damage:
                    self._tell(f"{self._name} is damaged ({damage}); heard up to there")
                return
            begins = following
            self._joined = True

    def _decode_link(self, begins: int) -> Generator[Any, None, str]:
        """Yield the frames of the open container, from that byte of the file on."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except Exception as error:
                return refusal(error)
            if packet is None:
                return ""
            if packet.pos is not None:
                self._end = max(self._end, begins + packet.pos + packet.size)
            try:
                frames = packet.decode()
            except Exception:
                self._damaged = True
                continue
            for frame in frames:
                if frame.samples:
                    self._silent_links = 0
                    yield frame

    def _open_link_after(self, at: int) -> int | None:
        """Open what was joined to an Ogg file behind all that was read; return where it begins."""
        if self._container.format.name != "ogg":
            return None
        at = max(at, self._end)
        while (start := next_link(self._file, at)) is not None:
            self._silent_links += 1
            if self._silent_links > _MOST_SILENT_LINKS:
                self._tell(told_of_unread(self._name, self._file.seek(0, os.SEEK_END) - start))
                return None
            try:
                container = _opened(Tail(self._file, start))
            except Undecodable:
                at = start + 1
                continue
            if container.streams.audio:
                self._container.close()
                self._container = container
                self._stream = container.streams.best("audio") or container.streams.audio[0]
                return start
            container.close()
            at = start + 1
        return None

    def skip(self, frames: int) -> int:
        """Skip nothing: seeks in compressed streams land near, not on, a sample."""
        return 0

    def close(self) -> None:
        """Release the file."""
        self._container.close()
        self._file.close()


def no_such_track(name: str, track: int, tracks: int) -> str:
    """Return the message about it."""
    allowed = "0" if tracks == 1 else f"0 to {tracks - 1}"
    return (
        f"{name} has no audio track {track}: it has {tracks}, counted from 0; choose {allowed}, "
        "or no track"
    )


def _opened(file: BinaryIO | Tail) -> Any:
    import av

    options = {**_ALONE, "codec_whitelist": _sound_decoders()}
    try:
        try:
            return av.open(file, metadata_errors="ignore", options=options)
        except TypeError:
            # From PyAV 19 on, metadata that is no UTF-8 is no error, and the argument is gone.
            file.seek(0)
            return av.open(file, options=options)
    except Exception as error:
        raise Undecodable(f"FFmpeg: {refusal(error)}") from error


@lru_cache(1)
def _sound_decoders() -> str:
    """Return the names of all decoders of sound, as FFmpeg takes them.

    On opening, FFmpeg decodes a picture of any size to see what it is: 300 KB of one fill 250 MB.
    """
    import av

    names: set[str] = set()
    for name in av.codecs_available:
        # Some are there to encode only.
        with suppress(Exception):
            codec = av.Codec(name, "r")
            if codec.type == "audio":
                names |= {name, codec.name}
    return ",".join(sorted(names))


def _stamp_s(frame: Any) -> Fraction | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return Fraction(frame.time_base) * int(frame.pts)


def _described(number: int, stream: Any) -> str:
    known = [stream.metadata.get(key) for key in ("language", "title")]
    words = " ".join(word for word in known if word and word != "und")
    return f"{number}: {shown(words)}" if words else str(number)
