"""Processor, memory, disk, and the port that turbo-serve would take."""

import errno
import os
import shutil
import socket
from pathlib import Path

from turbo_stream.doctor.check import Check

_SMALL_MEMORY = 512e6
_WHISPER_ROOM = 200e6
"""Bytes that Whisper tiny.en and its download need."""

_INSTRUCTIONS = ("avx2", "avx512_vnni", "avx_vnni", "asimddp", "i8mm")
"""Of `/proc/cpuinfo`, what makes INT8 fast."""


def look_at_processor() -> list[Check]:
    """Return what computes, and whether it multiplies bytes exactly."""
    from turbo_stream._util.onnx_session import int8_saturates
    from turbo_stream.benchmark.machine import machine

    described = machine()
    found = f"{described['cpu']}, {described['cores']} cores, {described['system']}"
    checks = [Check("processor", "ok", found)]
    known = [name for name in _INSTRUCTIONS if name in _processor_flags()]
    if int8_saturates():
        advice = "slower products that are exact are chosen by themselves; nothing to do"
        found = f"{' '.join(known) or 'no instruction for it'}: INT8 products saturate"
        checks.append(Check("int8", "note", found, advice))
    else:
        checks.append(Check("int8", "ok", f"exact; {' '.join(known) or 'instructions unknown'}"))
    return checks


def look_at_memory() -> list[Check]:
    """Return how much memory there is, where the system says."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return []
    found = f"{total / 1e9:.1f} GB"
    if total < _SMALL_MEMORY:
        advice = "use `asr` pocketsphinx or `asr` none; Whisper may not fit"
        return [Check("memory", "note", found, advice)]
    return [Check("memory", "ok", found)]


def look_at_disk() -> list[Check]:
    """Return the room where models are downloaded to."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(existing).free
    found = f"{free / 1e9:.1f} GB free for models in {folder}"
    if not os.access(existing, os.W_OK):
        advice = "set HF_HOME to a folder that can be written, or give `asr` a model's folder"
        return [Check("disk", "note", f"{existing} cannot be written", advice)]
    if free < _WHISPER_ROOM:
        return [Check("disk", "note", found, "make room, or set HF_HOME to another disk")]
    return [Check("disk", "ok", found)]


def look_at_port(port: int) -> list[Check]:
    """Return whether turbo-serve could listen at `port` of this machine."""
    name = f"port {port}"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                advice = "if that is not turbo-serve itself, give it another `port`"
                return [Check(name, "note", "in use", advice)]
            return [Check(name, "note", f"not to be had ({error.strerror})", "give another `port`")]
    return [Check(name, "ok", "free for turbo-serve")]


def _processor_flags() -> set[str]:
    listed = Path("/proc/cpuinfo")
    if not listed.is_file():
        return set()
    for line in listed.read_text("utf-8", "replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return set()
