"""One open stream of one sound device, read through a ring."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.audio._ring import Ring, WakeUp
from turbo_stream.audio.devices import (
    INSTEAD,
    Device,
    check_channel,
    generation,
    portaudio,
    portaudio_lock,
    quiet_stderr,
)
from turbo_stream.audio.resampler import Resampler, Samples
from turbo_stream.audio.source import Block, Gap, Pcm
from turbo_stream.errors import DeviceError

BLOCK_MS = 48
"""Shorter blocks cost a quiet room more than the hundredth of a core that it may (32 ms: 1.08 %);
longer ones keep the sound that ends an utterance waiting for more of it."""

GATHERED_MS = 256
"""Sound that wakes the reader while nobody speaks. Waking costs as much as judging five frames."""

MOST_REAL_CHANNELS = 16
"""Devices with more are taken for sound servers."""


class Capture:
    """Records from the moment it is made; `read` hands out what arrived since.

    The callback runs on PortAudio's thread: it copies into the ring, counts, and wakes the
    reader; it allocates no buffers, waits for nothing and prints nothing.
    """

    def __init__(
        self, device: Device, channel: int | None, buffer_s: float, wakeup: WakeUp
    ) -> None:
        """Open `device` and start.

        Args:
            device: where to record.
            channel: which of its channels, from 0; None asks for mono and leaves the mixing to
                the device, or averages the channels of one that has no mono.
            buffer_s: how much sound may wait for the reader before some is lost.
            wakeup: is set whenever sound has arrived.

        Raises:
            DeviceError: it cannot be opened, or has no such channel.
        """
        check_channel(device, channel)
        self.device = device
        self.last_arrival_s = time.monotonic()
        """`time.monotonic` when the newest sample arrived; at first, when the stream was opened."""
        self.first_sound_s: float | None = None
        """`time.monotonic` of the first sample, once there is one."""
        self.gathering = False
        """Whether the reader is to sleep until `GATHERED_MS` have arrived."""
        self._wakeup = wakeup
        with portaudio_lock(), quiet_stderr():
            self.generation = generation()
            """Which initialization of PortAudio the stream belongs to."""
            self._open(channel, buffer_s)

    def _open(self, channel: int | None, buffer_s: float) -> None:
        refusals: list[str] = []
        for channels in dict.fromkeys(_channel_counts(self.device, channel)):
            for rate in dict.fromkeys((SAMPLE_RATE, self.device.rate)):
                columns = slice(0, channels) if channel is None else slice(channel, channel + 1)
                self.rate, self._columns = rate, columns
                self._ring = Ring(round(buffer_s * rate), channels)
                self._resampler = Resampler(rate)
                self._adc_end_s, self._ended = 0.0, False
                refusal = self._start(channels)
                if refusal is None:
                    return
                refusals.append(refusal)
        raise DeviceError(
            f"{self.device.name} cannot be opened ({refusals[0]}); close programs that use it, "
            f"check that it may be used, or choose another one; {INSTEAD}"
        )

    def _start(self, channels: int) -> str | None:
        """Open the stream; return why that is not possible, or None if it runs."""
        sounddevice = portaudio()
        stream: Any = None
        try:
            stream = sounddevice.RawInputStream(
                device=self.device.index,
                channels=channels,
                samplerate=self.rate,
                blocksize=self.rate * BLOCK_MS // 1000,
                dtype="int16",
                callback=self._arrived,
                finished_callback=self._finished,
            )
            stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            if stream is not None:
                stream.close()
            return " ".join(str(error.args[0]).split())
        self._stream = stream
        return None

    def _arrived(self, indata: Any, frames: int, clock: Any, status: Any) -> None:
        now_s = time.monotonic()
        if self.first_sound_s is None:
            self.first_sound_s = now_s - frames / self.rate
        begin_s, lost = clock.inputBufferAdcTime, 0
        if status.input_overflow:
            lost = frames_lost(self._adc_end_s, begin_s, frames, self.rate)
        self._adc_end_s = begin_s + frames / self.rate
        self._ring.write(memoryview(indata), lost)
        self.last_arrival_s = now_s
        if not self.gathering or self._ring.unread >= self.rate * GATHERED_MS // 1000:
            self._wakeup.set()

    def _finished(self) -> None:
        self._ended = True
        self._wakeup.set()

    @property
    def alive(self) -> bool:
        """Whether PortAudio may still call back."""
        return not self._ended and self.generation == generation()

    def read(self) -> Iterator[Block | Gap]:
        """Yield what has arrived and was not yet read."""
        while True:
            lost, frames = self._ring.read()
            if lost:
                yield from self.flush()
                yield Gap(round(lost * SAMPLE_RATE / self.rate), "input overflow")
            if len(frames):
                yield from _block(self._convert(frames[:, self._columns]))
            elif not lost:
                return

    def _convert(self, frames: NDArray[np.int16]) -> Pcm:
        if self.rate == SAMPLE_RATE and frames.shape[1] == 1:
            return np.ascontiguousarray(frames[:, 0])
        return self._resampler.process(_mono(frames))

    def flush(self) -> Iterator[Block]:
        """Yield the samples still inside the resampler; the next ones begin anew."""
        yield from _block(self._resampler.process(np.zeros(0, np.float32), last=True))
        self._resampler.reset()

    def stop(self) -> None:
        """Record no more; what has arrived can still be read. Idempotent."""
        with portaudio_lock():
            # Of an earlier generation, its memory was freed by PortAudio.
            if self.generation == generation() and not self._stream.closed:
                self._stream.abort()
                self._stream.close()


def frames_lost(end_s: float, begin_s: float, frames: int, rate: int) -> int:
    """Estimate how much PortAudio lost when it flags an overflow: it does not say.

    Args:
        end_s: PortAudio's time of the end of the block before.
        begin_s: its time of the begin of this block; 0 from devices without a clock.
        frames: length of this block.
        rate: Hz.

    Returns:
        The time between the two in frames, exact to the jitter of the device's clock, a few
        milliseconds; as much as this block where there is no clock.
    """
    if begin_s <= 0 or end_s <= frames / rate:
        return frames
    return max(0, round((begin_s - end_s) * rate))


def _channel_counts(device: Device, channel: int | None) -> tuple[int, ...]:
    """Return with how many channels to try to open `device`, best first."""
    if channel is None:
        return (1, device.channels)
    # An array tells its true number, and is heard unmixed only with all of them. A sound server
    # pretends to have dozens, and mixes down to what was asked for: one would be a mixture.
    if device.channels <= MOST_REAL_CHANNELS:
        return (device.channels, channel + 1)
    return (max(2, channel + 1),)


def _mono(frames: NDArray[np.int16]) -> Samples:
    mono: Samples = frames.mean(axis=1, dtype=np.float32) / np.float32(32768)
    return mono


def _block(pcm: Pcm) -> Iterator[Block]:
    if len(pcm):
        yield Block(pcm)
