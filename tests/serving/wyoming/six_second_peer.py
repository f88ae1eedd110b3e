"""Runs wyoming-faster-whisper unchanged, with a model that hears 6 s at a time.

Its library pads what it hears to 30 s, Whisper's usual window, whatever the model's folder says.
"""

import functools
import sys

from faster_whisper import audio, transcribe

transcribe.pad_or_trim = functools.partial(audio.pad_or_trim, length=600)

from wyoming_faster_whisper.__main__ import run

if __name__ == "__main__":
    sys.exit(run())
