"""The microphones of this machine, as PortAudio lists them."""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turbo_stream._util.standard_error import stderr_into
from turbo_stream.errors import DeviceError

INSTEAD = "a sound file or - (raw PCM on stdin) works without a microphone"


@dataclass(frozen=True)
class Device:
    """A sound device that can record."""

    index: int
    """PortAudio's number; another one after a device came or went."""

    name: str

    host_api: str
    """Such as `ALSA` or `Core Audio`."""

    channels: int

    rate: int
    """Hertz, the device's own."""

    is_default: bool

    def __str__(self) -> str:
        """Return one line for a list."""
        mark = "*" if self.is_default else " "
        return (
            f"{mark} {self.index:3}  {self.name}, {self.host_api} "
            f"({self.channels} channels, {self.rate} Hz)"
        )


def portaudio() -> Any:
    """Return the module `sounddevice`, with PortAudio initialized.

    Raises:
        DeviceError: the PortAudio library is missing.
    """
    try:
        import sounddevice
    except OSError as error:
        how = "apt install libportaudio2" if sys.platform == "linux" else "reinstall sounddevice"
        raise DeviceError(
            f"the microphone needs the PortAudio library ({error}): {how}; {INSTEAD}"
        ) from error
    return sounddevice


class _PortAudio:
    """What keeps threads from pulling PortAudio away under each other."""

    lock = threading.RLock()
    generation = 0


def portaudio_lock() -> threading.RLock:
    """Return the lock to hold while opening, closing or listing: PortAudio has none of its own."""
    return _PortAudio.lock


def generation() -> int:
    """Return how often PortAudio was initialized anew; streams from before are gone."""
    return _PortAudio.generation


def rescan() -> None:
    """Let PortAudio look again for devices; it sees none that came after it was initialized.

    Ends every PortAudio stream of this process.
    """
    sounddevice = portaudio()
    with _PortAudio.lock:
        _PortAudio.generation += 1
        with contextlib.suppress(sounddevice.PortAudioError):
            sounddevice._terminate()
        with contextlib.suppress(sounddevice.PortAudioError):
            sounddevice._initialize()


def list_devices() -> list[Device]:
    """Return the devices that can record, in PortAudio's order.

    Raises:
        DeviceError: the PortAudio library is missing.
    """
    sounddevice = portaudio()
    with _PortAudio.lock:
        inputs = [found for found in sounddevice.query_devices() if found["max_input_channels"] > 0]
        if not inputs:
            return []
        apis = [api["name"] for api in sounddevice.query_hostapis()]
        default = _default_index(sounddevice)
        return [
            Device(
                index=found["index"],
                name=found["name"],
                host_api=apis[found["hostapi"]],
                channels=found["max_input_channels"],
                rate=round(found["default_samplerate"]),
                is_default=found["index"] == default,
            )
            for found in inputs
        ]


def find_device(wanted: int | str | None) -> Device:
    """Return the device with that index, exact name, or part of a name; None is the default.

    A part of a name, in any case, must fit one device only; `name, host API` tells equal names
    apart.

    Raises:
        DeviceError: no such device, several, or none at all; says which there are.
    """
    devices = list_devices()
    if not devices:
        raise DeviceError(f"no microphone found; plug one in and check its volume, or {INSTEAD}")
    if wanted is None:
        found = [device for device in devices if device.is_default]
        # Without a default of the system's own, the only sensible guess is the first.
        return (found or devices)[0]
    if isinstance(wanted, int):
        found = [device for device in devices if device.index == wanted]
    else:
        exact = [device for device in devices if device.name == wanted]
        found = exact or [device for device in devices if _fits(device, wanted)]
    if len(found) == 1:
        return found[0]
    there = "; ".join(f"{device.index} {device.name}, {device.host_api}" for device in devices)
    raise DeviceError(
        f"{'several microphones fit' if found else 'no microphone'} {wanted!r}; choose by index "
        f"or name from: {there}; or {INSTEAD}"
    )


def check_channel(device: Device, channel: int | None) -> None:
    """Refuse a channel that `device` does not have.

    Raises:
        DeviceError: naming the channels it has.
    """
    if channel is not None and not 0 <= channel < device.channels:
        raise DeviceError(
            f"{device.name} has no channel {channel}: it has {device.channels}, counted from 0; "
            f"choose 0 to {device.channels - 1}, or no channel for mono"
        )


def _fits(device: Device, wanted: str) -> bool:
    full = f"{device.name}, {device.host_api}".lower()
    return all(word in full for word in wanted.lower().split())


def _default_index(sounddevice: Any) -> int:
    try:
        return int(sounddevice.query_devices(kind="input")["index"])
    except (sounddevice.PortAudioError, ValueError):
        return -1


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hide what PortAudio and ALSA print on their own while a device is tried.

    Of the whole process, so only for moments; `sounddevice` does the same when it initializes.
    """
    with Path(os.devnull).open("wb") as null, stderr_into(null.fileno()):
        yield
