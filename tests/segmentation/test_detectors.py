"""The three voice activity detectors by themselves."""

import numpy as np
import pytest

from tests.support.speech_material import cut, hiss
from turbo_stream.errors import InputError
from turbo_stream.segmentation._silero import SileroVad
from turbo_stream.segmentation._webrtc import WebRtcVad
from turbo_stream.segmentation.vad import VAD_NAMES, Vad, load_vad


def said(vad: Vad, pcm: np.ndarray) -> np.ndarray:
    size = vad.frame_samples
    return np.array(
        [vad.speech_probability(pcm[i : i + size]) for i in range(0, pcm.size - size + 1, size)]
    )


@pytest.mark.parametrize("name", VAD_NAMES)
def test_speech_and_silence_are_told_apart(kitchen_pcm, name):
    vad = load_vad(name)
    assert vad.name == name
    assert said(vad, hiss(2)).max() < vad.hold_threshold
    speech = said(vad, cut(kitchen_pcm, 4.5, 7.6))
    assert np.mean(speech >= vad.hold_threshold) > 0.85
    assert speech.min() >= 0 and speech.max() <= 1


@pytest.mark.parametrize("name", VAD_NAMES)
def test_reset_forgets_and_frames_stay_as_they_are(kitchen_pcm, name):
    vad = load_vad(name)
    pcm = cut(kitchen_pcm, 0.5, 3.5).copy()
    kept = pcm.copy()
    first = said(vad, pcm)
    vad.reset()
    np.testing.assert_array_equal(said(vad, pcm), first)
    np.testing.assert_array_equal(pcm, kept)


def test_the_cascade_spares_silero_while_nothing_is_heard(monkeypatch, kitchen_pcm):
    calls = []
    original = SileroVad.speech_probability
    monkeypatch.setattr(
        SileroVad, "speech_probability", lambda self, f: calls.append(1) or original(self, f)
    )
    vad = load_vad("webrtc+silero")
    said(vad, hiss(2))
    calls.clear()  # WebRTC's own first frames open the gate
    said(vad, hiss(10, seed=1))
    assert not calls
    answers = said(vad, cut(kitchen_pcm, 1.2, 2.8))
    assert calls and len(calls) <= len(answers) + 10


def test_the_cascade_takes_a_clear_voice_in_a_quiet_room_though_silero_is_deaf(
    monkeypatch, kitchen_pcm
):
    monkeypatch.setattr(SileroVad, "speech_probability", lambda self, frame: 0.0)
    vad = load_vad("webrtc+silero")
    command = cut(kitchen_pcm, 1.2, 2.8)
    quiet = np.concatenate((hiss(4, amplitude=5), command))
    assert (said(vad, quiet) >= vad.onset_threshold).sum() > 10
    vad.reset()
    loud = np.concatenate((hiss(4, amplitude=300), command))
    assert said(vad, loud).max() == 0


def test_silero_agrees_with_itself_on_a_long_stream(kitchen_pcm):
    """After minutes of silence it hears a sentence as it does afresh."""
    vad = SileroVad()
    speech = cut(kitchen_pcm, 4.5, 7.6)
    fresh = np.mean(said(vad, np.concatenate((hiss(1.024), speech))) >= 0.4)
    vad.reset()
    said(vad, hiss(120))
    assert np.mean(said(vad, speech) >= 0.4) > 0.9 * fresh


def test_a_constant_offset_does_not_deafen_silero(kitchen_pcm):
    speech = cut(kitchen_pcm, 4.0, 7.6)
    plain = np.mean(said(SileroVad(), speech) >= 0.4)
    shifted = (speech // 2 + 9000).astype(np.int16)
    assert np.mean(said(SileroVad(), shifted) >= 0.4) > plain - 0.1


def test_loud_noise_is_turned_down_for_webrtc():
    loud = hiss(10, amplitude=2500, seed=4)
    assert said(WebRtcVad(3), loud)[50:].mean() < 0.02


def test_unknown_names_and_modes_are_refused():
    with pytest.raises(InputError, match=r"webrtc, silero, webrtc\+silero"):
        load_vad("energy")
    with pytest.raises(InputError, match="mode 4"):
        WebRtcVad(4)


def test_a_missing_silero_file_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr("turbo_stream.segmentation._silero.find_spec", lambda name: None)
    with pytest.raises(InputError, match="`vad` webrtc"):
        SileroVad()
