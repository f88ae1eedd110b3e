"""PortAudio, the microphones, and whether one of them delivers sound."""

import threading
from contextlib import closing

import numpy as np

from turbo_stream.audio.mute import MUTED_AFTER_S
from turbo_stream.audio.source import Block, Connection
from turbo_stream.doctor.check import Check
from turbo_stream.errors import DeviceError

_QUIET_DB = -70.0
"""Below this, in dBFS, no room is: the microphone is muted, or its gain is at zero."""

_PATIENCE_S = 8.0
"""Beyond the seconds to listen, how long the device may take to begin."""


def look_at_microphones() -> list[Check]:
    """Return whether PortAudio is there and what it can record from."""
    from turbo_stream.audio.devices import list_devices, quiet_stderr

    try:
        with quiet_stderr():
            devices = list_devices()
    except DeviceError as error:
        return [Check("portaudio", "missing", str(error))]
    import sounddevice

    checks = [Check("portaudio", "ok", sounddevice.get_portaudio_version()[1])]
    if not devices:
        advice = (
            "plug one in; in a container hand on /dev/snd; the user must be in the group audio; "
            "files and standard input work without one (`microphone`)"
        )
        return [*checks, Check("microphone", "missing", "none", advice)]
    for device in devices:
        name = f"microphone {device.index}"
        mark = " (default)" if device.is_default else ""
        found = f"{device.name}, {device.host_api}, {device.channels} ch, {device.rate} Hz{mark}"
        checks.append(Check(name, "ok", found))
    if not any(device.is_default for device in devices):
        advice = "choose one with `device`, or set a default in the system's sound settings"
        checks.append(Check("microphone", "note", "none is the default", advice))
    return checks


def listen_to_microphone(device: int | str | None, seconds: float) -> list[Check]:
    """Return how loud it is in the room for `seconds`; nothing of it is kept."""
    from turbo_stream._util.timebase import to_samples
    from turbo_stream.audio.microphone import Microphone

    name = "sound"
    try:
        microphone = Microphone(device)
    except DeviceError as error:
        return [Check(name, "missing", str(error))]
    heard, wanted = 0, to_samples(seconds)
    squares, peak, muted = 0.0, 0, False
    late = threading.Timer(seconds + _PATIENCE_S, microphone.close)
    late.daemon = True
    late.start()
    try:
        with closing(microphone):
            for item in microphone:
                if isinstance(item, Block):
                    samples = item.pcm.astype(np.int64)
                    heard += len(samples)
                    squares += float(np.sum(samples**2))
                    peak = max(peak, int(np.abs(samples).max(initial=0)))
                elif isinstance(item, Connection) and item.state == "muted":
                    muted = True
                elif isinstance(item, Connection) and item.state != "active":
                    break
                if heard >= wanted:
                    break
    except DeviceError as error:
        return [Check(name, "missing", str(error))]
    finally:
        late.cancel()
    if heard < wanted:
        advice = "unplug it and plug it in again, or try another one with `device`"
        return [Check(name, "missing", "the microphone delivers no samples", advice)]
    if muted and peak:
        advice = (
            "switch it on; a switch on the device, or a program that cleans its sound, does that"
        )
        return [Check(name, "note", f"digital silence for over {MUTED_AFTER_S:g} s of it", advice)]
    return [loudness(squares / heard, peak)]


def loudness(mean_square: float, peak: int) -> Check:
    """Return what int16 samples with this mean square and peak say of a microphone."""
    if peak == 0:
        advice = "it is muted, or this program is not allowed to use it (privacy settings)"
        return Check("sound", "missing", "digital silence", advice)
    level_db, peak_db = 10 * np.log10(mean_square / 32768**2), 20 * np.log10(peak / 32768)
    found = f"level {level_db:.0f} dBFS, peak {peak_db:.0f} dBFS"
    if level_db < _QUIET_DB:
        return Check("sound", "note", found, "very quiet: raise the gain, as with alsamixer")
    if peak >= 32767:
        return Check("sound", "note", found, "it clips: lower the gain, as with alsamixer")
    return Check("sound", "ok", found)
