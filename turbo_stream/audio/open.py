"""From what a user typed to a source."""

from pathlib import Path

from turbo_stream.audio._raw import RawSource
from turbo_stream.audio.file import FileSource
from turbo_stream.audio.source import Source
from turbo_stream.errors import InputError


def open_source(
    source: str | Path | None = None,
    *,
    channel: int | None = None,
    track: int | None = None,
    device: int | str | None = None,
    realtime: bool = False,
) -> Source:
    """Return the source that `source` names.

    Args:
        source: None for the microphone, the text `-` for raw s16le 16 kHz mono on standard input,
            else a sound file, whatever its name; nothing is taken for an address.
        channel: which channel of a file, or microphone of an array, counted from 0. None: a
            file's channels are averaged, a microphone is opened as mono.
        track: which audio track of a file, counted from 0; None is the main one.
        device: index or part of the name of the microphone; None is the system's default.
            Only the microphone looks at it.
        realtime: a file is handed out as fast as it was spoken, and standard input is taken for a
            recorder that does so; a microphone always is one.

    Raises:
        InputError: no such file, not a sound file, no such channel or track, no samples on
            standard input.
        DeviceError: no PortAudio, no such microphone.
    """
    if track is not None and source in (None, "-"):
        what = "a microphone" if source is None else "stdin"
        raise InputError(f"`track` is {track}: {what} has no tracks; give none, or name a file")
    if source is None:
        from turbo_stream.audio.microphone import Microphone

        return Microphone(device, channel=channel)
    if source == "-":
        if channel not in (None, 0):
            raise InputError(f"channel {channel}: stdin is mono; choose 0, or no channel")
        return RawSource(live=realtime)
    return FileSource(source, channel=channel, track=track, realtime=realtime)
