"""A sound file as a source: any format, rate and channel count, never loaded whole."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from turbo_stream._util.timebase import ms_to_samples, to_seconds
from turbo_stream.audio.decoder import Decoder, open_decoder
from turbo_stream.audio.resampler import (
    Samples,
    average_channels,
    resample_blocks,
    silence_non_finite,
)
from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.errors import InputError

LOWEST_RATE, HIGHEST_RATE = 1_000, 1_000_000
"""Hertz. A damaged header may say anything up to 2 GHz, and blocks are sized by it."""

_REALTIME_BLOCK = ms_to_samples(32)


class FileSource:
    """The samples of one sound file, as 16 kHz mono.

    Formats: whatever libsndfile reads (WAV, FLAC, Ogg, AIFF, ...), else FFmpeg through PyAV (MP3,
    M4A, WebM, MP4, AAC, ...). Several channels are averaged unless `channel` picks one. Samples
    that are no finite number become silence, and `notices` says so. Each iteration starts at the
    beginning of the file.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        channel: int | None = None,
        realtime: bool = False,
        content: bytes | None = None,
    ) -> None:
        """Check that `path` holds sound.

        Args:
            path: the file.
            channel: which channel to hear, counted from 0; None averages all of them.
            realtime: hand each block out when a microphone would, not before.
            content: what the file holds, if it lies in memory; `path` then only names it.

        Raises:
            InputError: the file is missing, empty or not sound, has no such channel, or an
                absurd sample rate.
        """
        self.path = Path(path)
        self.channel = channel
        self.live = realtime
        self._content = content
        self.notices: list[str] = []
        """For a person, one line each: what was wrong with the samples read so far."""
        self._closed = False
        with closing(self._open()) as decoder:
            if next(decoder.blocks(), None) is None:
                raise InputError(
                    f"{self.path} holds no samples; give a sound file with sound in it, or check "
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
            for pcm in resample_blocks(self._mono(decoder), decoder.rate):
                step = _REALTIME_BLOCK if self.live else len(pcm)
                for start in range(0, len(pcm), step):
                    block = pcm[start : start + step]
                    handed_out += len(block)
                    if self.live:
                        # A block is there when its last sample has been heard.
                        due_s = started_s + to_seconds(handed_out)
                        time.sleep(max(0.0, due_s - time.monotonic()))
                    if self._closed:
                        return
                    yield Block(block)

    def close(self) -> None:
        """End the iteration after the block handed out last; for good."""
        self._closed = True

    def _open(self) -> Decoder:
        decoder = open_decoder(self.path, self._content)
        if not LOWEST_RATE <= decoder.rate <= HIGHEST_RATE:
            decoder.close()
            raise InputError(
                f"{self.path} says it has {decoder.rate} samples a second, which no recording of "
                f"speech has ({LOWEST_RATE} to {HIGHEST_RATE}); its header is damaged, convert or "
                "record it again"
            )
        if self.channel is not None and not 0 <= self.channel < decoder.channels:
            decoder.close()
            raise InputError(
                f"{self.path} has no channel {self.channel}: it has {decoder.channels}, counted "
                f"from 0; choose 0 to {decoder.channels - 1}, or no channel to average them"
            )
        return decoder

    def _mono(self, decoder: Decoder) -> Iterator[Samples]:
        for frames in decoder.blocks():
            if silence_non_finite(frames) and not self.notices:
                self.notices.append(f"{self.path}: samples that are NaN or infinite become silence")
            yield average_channels(frames) if self.channel is None else frames[:, self.channel]
