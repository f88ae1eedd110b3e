"""What computes with Whisper's weights."""

from typing import Literal

Device = Literal["cpu", "cuda"]

DEVICES = ("auto", "cpu", "cuda")
"""What may be asked for; `auto` is a GPU that works, else the CPU."""
