"""Encoder states beside the text: whose they are, how many, and that nothing is copied."""

import math
from dataclasses import replace

import numpy as np

from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig

RATE = 16_000


def test_states_come_with_the_text_one_for_every_20_ms_of_sound(whisper, kitchen_pcm) -> None:
    pcm = kitchen_pcm[RATE : 3 * RATE + 100]
    states = whisper.transcribe(pcm).states
    assert states.shape == (math.ceil(len(pcm) / 320), 64)
    assert states.dtype == np.float32 and np.isfinite(states).all()
    assert np.array_equal(states, whisper.encode(pcm))


def test_the_encoders_output_is_not_copied(whisper, kitchen_pcm) -> None:
    """The array is a view of the very memory that CTranslate2 decodes from."""
    raw = whisper._encode(kitchen_pcm[:RATE], 2 * RATE)
    first = np.asarray(raw)
    assert np.shares_memory(first, np.asarray(raw))
    assert first.__array_interface__["data"][0] == raw.__array_interface__["data"][0]


def test_speech_longer_than_the_window_has_all_its_states(whisper, kitchen_pcm) -> None:
    longest = whisper.reader.longest
    pcm = kitchen_pcm[: longest + RATE]
    assert len(whisper.encode(pcm)) == math.ceil(len(pcm) / 320)


def test_a_further_reading_in_a_longer_window_keeps_the_states_of_the_first(
    whisper_folder, kitchen_pcm, monkeypatch
) -> None:
    whisper = WhisperRecognizer(whisper_folder, window=WindowConfig(floor_s=3.0, margin_s=2.0))
    pcm = kitchen_pcm[RATE : 2 * RATE]
    usual = whisper.encode(pcm)
    read, windows = whisper._read, []

    def looping(*arguments):
        windows.append(arguments[1])
        reading = read(*arguments)
        return replace(reading, transcript=replace(reading.transcript, guard="cap"))

    monkeypatch.setattr(whisper, "_read", looping)
    assert np.array_equal(whisper.transcribe(pcm).states, usual)
    assert windows == [3 * RATE, 4.5 * RATE, 6 * RATE]


def test_states_are_neither_compared_nor_shown() -> None:
    """What is said must not end in a log because somebody printed a transcript."""
    states = np.ones((2, 3), np.float32)
    assert Transcript("hi", states=states) == Transcript("hi")
    assert "states" not in repr(Transcript("hi", states=states))


def test_a_source_is_told_apart_by_weights_and_window_but_not_by_name(whisper) -> None:
    source = whisper.states_source()
    folder = whisper.reader.folder
    other = WhisperRecognizer(folder, window=WindowConfig(floor_s=5.0)).states_source()
    assert source.differences(source) == []
    assert source.differences(replace(source, recognizer="whisper:x")) == []
    assert source.differences(other) == ["window_floor_s"]
    assert source.differences(replace(source, sha256="0" * 64)) == ["sha256"]
