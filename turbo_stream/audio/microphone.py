"""A microphone as a source, through all its troubles: overflow, stall, unplugging."""

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from turbo_stream._util.timebase import to_samples
from turbo_stream.audio._attempt import Attempt
from turbo_stream.audio._remembered import Remembered
from turbo_stream.audio._ring import WakeUp
from turbo_stream.audio.capture import Capture
from turbo_stream.audio.devices import (
    Device,
    check_channel,
    find_device,
    generation,
    list_devices,
    rescan,
)
from turbo_stream.audio.mute import MUTED_AFTER_S, MuteWatch
from turbo_stream.audio.source import Connection, Gap, SourceItem
from turbo_stream.errors import DeviceError

LONGEST_STOP_S = 1.0


@dataclass(frozen=True)
class MicrophoneConfig:
    """How patient a microphone is."""

    buffer_s: float = 5.0
    """Seconds of sound that may wait for the reader; what comes on top is lost, and said."""

    first_sound_s: float = 5.0
    """Seconds that an opened device may take to deliver its first sample."""

    stall_s: float = 1.0
    """Seconds without a sample after which the device counts as lost."""

    retry_s: float = 0.5
    """Seconds before the first attempt to reconnect; doubled for each further one."""

    longest_retry_s: float = 5.0
    """Seconds between attempts at most."""

    fall_back_after_s: float = 30.0
    """Seconds after which the system's default device will do as well."""

    muted_after_s: float = MUTED_AFTER_S
    """Seconds of nothing but zeros after which the device counts as muted, and is said to be."""


class Microphone:
    """Sound from a PortAudio device, as 16 kHz mono, until it is closed.

    A device that goes away is looked for with growing waits, and after `fall_back_after_s` the
    system's default device is taken as well. The time without sound becomes one `Gap`. Looking
    means initializing PortAudio anew, which ends all other PortAudio streams of the process.
    """

    live = True

    def __init__(
        self,
        device: int | str | None = None,
        *,
        channel: int | None = None,
        config: MicrophoneConfig | None = None,
    ) -> None:
        """Find the device; it is opened by the iteration.

        Args:
            device: PortAudio's index, or part of a name; None for the system's default.
            channel: one microphone of an array, counted from 0; None asks for mono.
            config: how patient to be.

        Raises:
            DeviceError: no PortAudio, no such device, or it has no such channel.
        """
        self._wants_default = device is None
        self._wanted = Remembered.among(find_device(device), list_devices())
        check_channel(self._wanted.device, channel)
        self._channel = channel
        self._config = config or MicrophoneConfig()
        self._wakeup = WakeUp()
        self._closed = False
        self.gathering = False

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield blocks as they arrive, gaps, and changes of the connection.

        Raises:
            DeviceError: the device cannot be opened in the first place.
        """
        watch = MuteWatch(self._config.muted_after_s)
        with closing(self._record()) as items:
            for item in items:
                yield from watch.pass_on(item)
                del item  # not kept while the next is waited for

    def _record(self) -> Generator[SourceItem, None, None]:
        capture = self._open(self._wanted.device)
        try:
            while True:
                yield from self._listen(capture)
                if self._closed:
                    self._stop(capture)
                yield from capture.read()
                yield from capture.flush()
                if self._closed:
                    return
                returned = yield from self._reconnect(capture)
                if returned is None:
                    return
                capture = returned
        finally:
            self._stop(capture)

    def close(self) -> None:
        """End the iteration after what was captured; also from a signal handler."""
        self._closed = True
        self._wakeup.set()

    def _open(self, device: Device) -> Capture:
        return Capture(device, self._channel, self._config.buffer_s, self._wakeup)

    def _listen(self, capture: Capture) -> Iterator[SourceItem]:
        """Yield what arrives until `close` or the end of the device."""
        while not self._closed and capture.alive:
            heard = capture.first_sound_s is not None
            limit_s = self._config.stall_s if heard else self._config.first_sound_s
            left_s = capture.last_arrival_s + limit_s - time.monotonic()
            if left_s <= 0:
                return
            capture.gathering = self.gathering
            self._wakeup.wait(left_s)
            yield from capture.read()

    def _reconnect(self, lost: Capture) -> Generator[SourceItem, None, Capture | None]:
        """Yield changes of the connection; return a capture with sound, or None once closed."""
        config, name = self._config, lost.device.name
        gone_s, wait_s, first, told = time.monotonic(), config.retry_s, True, False
        yield Connection("reconnecting", f"{name} went away")
        while self._wait(wait_s):
            wait_s = min(2 * wait_s, config.longest_retry_s)
            patient = time.monotonic() - gone_s < config.fall_back_after_s
            attempt = Attempt(partial(self._try_again, lost, patient, first), self._wakeup.set)
            first = False
            while not attempt.finished:
                if self._closed:
                    attempt.abandon()
                    return None
                self._wakeup.wait(1.0)
            capture = attempt.capture
            if capture is not None and capture.first_sound_s is not None:
                yield Connection("active", self._returned(capture.device))
                lost_s = capture.first_sound_s - lost.last_arrival_s
                yield Gap(to_samples(lost_s), "device lost")
                return capture
            if not patient and not told:
                told = True
                yield Connection("unavailable", f"neither {name} nor a default device answers")
        return None

    def _try_again(self, lost: Capture, patient: bool, first: bool) -> Capture | None:
        lost.stop()
        # If another microphone of this process did it just now, doing it again would end that one.
        if not first or lost.generation == generation():
            rescan()
        for device in self._candidates(patient):
            try:
                capture = self._open(device)
            except DeviceError:
                continue
            until_s = time.monotonic() + self._config.first_sound_s
            while capture.alive and time.monotonic() < until_s and not self._closed:
                if capture.first_sound_s is not None:
                    return capture
                time.sleep(0.02)
            capture.stop()
        return None

    def _candidates(self, patient: bool) -> Iterator[Device]:
        try:
            again = None if self._wants_default else self._wanted.find(list_devices())
            if again is not None:
                yield again
            if self._wants_default or not patient:
                yield find_device(None)
        except DeviceError:
            return

    def _returned(self, device: Device) -> str:
        """Return what to say of `device`, which is heard from here on."""
        wanted = self._wanted
        if wanted.find(devices := list_devices()) != device:
            # Another one is not what was asked for, unless that was whatever is the default.
            if self._wants_default:
                self._wanted = Remembered.among(device, devices)
            return f"{device.name} in place of {wanted.device.name}"
        self._wanted = Remembered.among(device, devices)
        return device.name if wanted.surely(device) else f"{device.name}, taken for the one before"

    def _stop(self, capture: Capture) -> None:
        """Stop `capture`, but do not wait for a sound server that does not answer."""
        stopping = threading.Thread(target=capture.stop, name="turbo-stop", daemon=True)
        stopping.start()
        stopping.join(LONGEST_STOP_S)

    def _wait(self, seconds: float) -> bool:
        """Wait; return False once closed."""
        until_s = time.monotonic() + seconds
        while not self._closed and (left_s := until_s - time.monotonic()) > 0:
            self._wakeup.wait(left_s)
        return not self._closed
