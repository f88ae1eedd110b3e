"""What the server says of itself when asked: Wyoming's `info`."""

from __future__ import annotations

from wyoming.info import AsrModel, AsrProgram, Attribution, Info

from turbo_stream.events import Ready

_AUTHORS = {
    "whisper": ("OpenAI, CTranslate2 by SYSTRAN", "https://github.com/SYSTRAN/faster-whisper"),
    "pocketsphinx": ("CMU Sphinx", "https://github.com/cmusphinx/pocketsphinx"),
}


def describe(ready: Ready) -> Info:
    """Return the one program with its one model: the recognizer that was loaded."""
    backend = ready.asr.split(":")[0]
    model = AsrModel(
        name=ready.asr,
        description=f"{ready.asr}, heard by {ready.model}",
        attribution=Attribution(*_AUTHORS.get(backend, (backend, ""))),
        installed=True,
        version=ready.version,
        languages=[ready.language],
    )
    program = AsrProgram(
        name="turbo_stream",
        description="Transcribes what was said to the device, and nothing of side talk",
        attribution=Attribution("turbo_stream", "https://pypi.org/project/turbo-stream/"),
        installed=True,
        version=ready.version,
        models=[model],
    )
    return Info(asr=[program])
