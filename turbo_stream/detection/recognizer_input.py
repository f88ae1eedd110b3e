"""A package whose network reads the recognizer's encoder states in place of the sound."""

from __future__ import annotations

from dataclasses import dataclass

from turbo_stream.detection.manifest import Manifest
from turbo_stream.errors import InputError
from turbo_stream.recognition.encoder_states import EncoderStates, StatesSource
from turbo_stream.recognition.recognizer import Recognizer

KIND = "recognizer_states"
"""The one `kind` of `audio_input` that this version reads."""


@dataclass(frozen=True)
class RecognizerInput:
    """The key `audio_input` of `turbo.json`: whose states they are. It binds the package."""

    width: int
    """F of the states `[B, N, F]`."""

    source: StatesSource

    @classmethod
    def read(cls, manifest: Manifest) -> RecognizerInput | None:
        """Read the optional key; None where the network hears the sound itself.

        Raises:
            PackageError: the key does not say what it should.
        """
        if "audio_input" not in manifest.values:
            return None
        row = manifest.table("audio_input")
        if row.text("kind") != KIND:
            raise row.refuse("kind", row.values["kind"], repr(KIND))
        source = StatesSource(
            recognizer=row.text("recognizer"),
            sha256=row.text("sha256"),
            window_floor_s=row.number("window_floor_s"),
            window_margin_s=row.number("window_margin_s"),
        )
        return cls(row.integer("width", at_least=1), source)

    def check(self, package: str, recognizer: Recognizer) -> None:
        """Raise `InputError` if `recognizer` is another than the one `package` was trained on."""
        bound = self.source
        wanted = (
            f"{package} reads the encoder states of {bound.recognizer} "
            f"(model.bin {bound.sha256[:12]}..., window floor {bound.window_floor_s:g} s, margin "
            f"{bound.window_margin_s:g} s)"
        )
        if not isinstance(recognizer, EncoderStates):
            raise InputError(
                f"{wanted} and cannot work with {recognizer.name}: give that Whisper as --asr"
            )
        if differing := bound.differences(recognizer.states_source()):
            raise InputError(
                f"{wanted}; {recognizer.name} as it is here has another {', '.join(differing)}: "
                "give that Whisper as --asr, and its window as --window-floor and --window-margin"
            )
