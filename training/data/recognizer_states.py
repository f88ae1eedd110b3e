"""Clips through the very recognizer that a device runs, so that training sees what serving sees."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.audio.recognizer import RECOGNIZER
from models.config import TurboConfig
from training.data.clip import Wave
from turbo_stream.errors import InputError
from turbo_stream.recognition.encoder_states import EncoderStates, StatesSource
from turbo_stream.recognition.whisper import WhisperRecognizer


class RecognizerStates:
    """The encoder states of a CTranslate2 Whisper, INT8 as it listens."""

    def __init__(self, recognizer: EncoderStates) -> None:
        self._recognizer = recognizer
        self.source: StatesSource = recognizer.states_source()

    def __call__(self, wave: Wave) -> NDArray[np.float32]:
        """Return the states `[N, F]` of `wave`, `[T]` in [-1, 1] at 16 kHz."""
        pcm = np.clip(np.rint(wave * 32_768.0), -32_768, 32_767).astype(np.int16)
        return self._recognizer.encode(pcm)

    def describe(self) -> str:
        """Return whose states they are and how wide, as `TurboConfig.audio_architecture`."""
        width = self(np.zeros(16_000, np.float32)).shape[1]
        return json.dumps({"width": width, **self.source.as_json()})

    def check(self, config: TurboConfig) -> None:
        """Raise `InputError` if a network of `config` was trained on the states of another."""
        stored = json.loads(config.audio_architecture)
        del stored["width"]
        if differing := self.source.differences(StatesSource(**stored)):
            raise InputError(
                f"the network reads the states of {stored['recognizer']} as it was; the one of "
                f"data.recognizer has another {', '.join(differing)}: give the same folder"
            )


def load_states(config: TurboConfig, recognizer: str) -> RecognizerStates | None:
    """Return what makes the states that a network of `config` reads; None where it reads sound.

    `recognizer` is a folder, or a name that is on this machine.

    Raises:
        InputError: there is no such Whisper, or none was given.
    """
    if config.audio != RECOGNIZER:
        return None
    if not recognizer:
        raise InputError(
            "audio=recognizer: whose states are read is not said; give data.recognizer=DIR, the "
            "folder of a CTranslate2 Whisper"
        )
    folder = Path(recognizer)
    return RecognizerStates(WhisperRecognizer(folder if folder.is_dir() else recognizer))


def with_source(config: TurboConfig, states: RecognizerStates | None) -> TurboConfig:
    """Return `config` with the recognizer that its network is about to be trained on."""
    return config if states is None else replace(config, audio_architecture=states.describe())
