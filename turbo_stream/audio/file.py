"""A sound file as a source: any format, rate and channel count, never loaded whole."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import ms_to_samples, to_seconds
from turbo_stream.audio.decoder import Decoder, open_decoder
from turbo_stream.audio.frames import Lost
from turbo_stream.audio.mixer import Mixer
from turbo_stream.audio.resampler import Samples, resample_blocks, silence_non_finite
from turbo_stream.audio.source import Block, Gap, SourceItem
from turbo_stream.errors import InputError

_REALTIME_BLOCK = ms_to_samples(32)

_LONGEST_SLEEP_S = 0.1
"""`close` waits no longer than this."""


class FileSource:
    """The samples of one sound file, as 16 kHz mono.

    Formats: whatever libsndfile reads (WAV, FLAC, AIFF, ...), else FFmpeg through PyAV (MP3, Ogg,
    M4A, WebM, MP4, AAC, ...); what the one leaves unread, the other is asked for. Several channels
    are averaged unless `channel` picks one; one that is the opposite of the others is turned over
    first. Samples that are no finite number become silence. `notices` tells of either. Where the
    file's time stamps leave time out, there is a gap. Each iteration starts at the beginning of
    the file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        channel: int | None = None,
        track: int | None = None,
        realtime: bool = False,
        content: bytes | None = None,
    ) -> None:
        """Check that `path` holds sound.

        Args:
            path: the file.
            channel: which channel to hear, counted from 0; None averages all of them.
            track: which audio track to hear, counted from 0; None is the main one.
            realtime: hand each block out when a microphone would, not before.
            content: what the file holds, if it lies in memory; `path` then only names it.

        Raises:
            InputError: the file is missing, empty or not sound, has no such channel or
                track, or an absurd sample rate or number of channels.
        """
        self.path = Path(path)
        self.channel = channel
        self.track = track
        self.live = realtime
        self._content = content
        self.notices: list[str] = []
        """For a person, one line each: what was found out about the sound read so far."""
        self._name = shown(self.path)
        self._closed = False
        with closing(self._open()) as decoder:
            if next(decoder.blocks(), None) is None:
                raise InputError(
                    f"{self._name} holds no samples; give a sound file with sound in it, or check "
                    "that it is complete"
                )

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield blocks until the file ends or `close` is called.

        They are of about 100 ms, or in real time of 32 ms as from a microphone.

        Raises:
            InputError: the file went away or changed since the constructor looked at it.
        """
        started_s, handed_out = time.monotonic(), 0
        with closing(self._open()) as decoder:
            for item in resample_blocks(self._mono(decoder), decoder.rate):
                if isinstance(item, Gap):
                    if self._closed:
                        return
                    yield item
                    handed_out += item.lost_samples
                    continue
                step = _REALTIME_BLOCK if self.live else len(item)
                for start in range(0, len(item), step):
                    block = item[start : start + step]
                    handed_out += len(block)
                    if self.live:
                        # A block is there when its last sample has been heard.
                        self._wait_until(started_s + to_seconds(handed_out))
                    if self._closed:
                        return
                    yield Block(block)

    def _wait_until(self, due_s: float) -> None:
        while not self._closed and (left_s := due_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _LONGEST_SLEEP_S))

    def close(self) -> None:
        """End the iteration after the block handed out last; for good."""
        self._closed = True

    def _open(self) -> Decoder:
        decoder = open_decoder(self.path, self._content, self.track)
        if self.channel is not None and not 0 <= self.channel < decoder.channels:
            decoder.close()
            raise InputError(
                f"{self._name} has no channel {self.channel}: it has {decoder.channels}, counted "
                f"from 0; choose 0 to {decoder.channels - 1}, or no channel to average them"
            )
        self._tell(decoder.notices)
        return decoder

    def _mono(self, decoder: Decoder) -> Iterator[Samples | Lost]:
        mixer = Mixer(decoder.rate)
        for item in decoder.blocks():
            if isinstance(item, Lost):
                yield item
                continue
            if silence_non_finite(item):
                self._tell([f"{self._name}: samples that are NaN or infinite become silence"])
            if self.channel is not None:
                yield item[:, self.channel]
                continue
            turned_before = mixer.turned
            yield mixer.mix(item)
            if mixer.turned and mixer.turned != turned_before:
                self._tell([_told_of_phase(self._name, mixer.turned)])
        self._tell(decoder.notices)

    def _tell(self, notices: list[str]) -> None:
        self.notices += [notice for notice in notices if notice not in self.notices]


def _told_of_phase(name: str, turned: list[int]) -> str:
    channels = ", ".join(str(channel) for channel in turned)
    which = f"channel {channels} is" if len(turned) == 1 else f"channels {channels} are"
    return (
        f"{name}: {which} of opposite phase, so that the channels cancel each other; turned over "
        "before they are averaged, `channel` hears one alone"
    )
