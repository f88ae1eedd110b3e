from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("scipy", reason="needs the train extra")

from tools.corpus.background import Background
from tools.corpus.render import active_power, render
from tools.corpus.scene import GivenSound, Scene

RATE = 16_000
SCENE = Scene(5, lead_s=0.3, trail_s=0.3)


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return 0.1 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE).astype("f4")


@pytest.fixture
def background(tmp_path: Path) -> Background:
    for number, hertz in enumerate((300, 700)):
        path = tmp_path / "train" / f"{number:03d}.flac"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, tone(hertz), RATE)
    return Background(tmp_path, {})


def heard(scene: Scene, background: Background, number: int = 1) -> np.ndarray:
    pcm = render(tone(1000), scene, background, number=number, level_db=-26.0)
    return pcm.astype(np.float64) / 32767


def power_at(sound: np.ndarray, hertz: float) -> float:
    power = np.abs(np.fft.rfft(sound)) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(power[np.abs(frequency - hertz) < 20].sum() / len(sound) ** 2 * 2)


def test_clean_speech_has_its_level_and_margins(background: Background) -> None:
    sound = heard(SCENE, background)
    assert len(sound) == 1.6 * RATE
    assert not sound[: int(0.3 * RATE)].any()
    assert 10 * np.log10(active_power(sound)) == pytest.approx(-26, abs=0.3)


def test_noise_is_as_far_below_as_the_row_says(background: Background) -> None:
    sound = heard(replace(SCENE, noise="coloured", snr_db=10.0), background)
    noise_db = 10 * np.log10(np.mean(sound[: int(0.3 * RATE)] ** 2))
    assert noise_db == pytest.approx(-36, abs=2)


def test_the_second_talker_is_the_quieter_one(background: Background) -> None:
    shares = []
    for number in range(12):
        sound = heard(replace(SCENE, overlap_db=6.0, others=(0,)), background, number)
        assert power_at(sound, 700) < 1e-3 * power_at(sound, 1000)
        shares.append(power_at(sound, 300) / power_at(sound, 1000))
    # 6 dB below where it speaks all the while; it may begin late or end early.
    assert 0.15 < max(shares) < 0.3
    assert len(set(shares)) > 1


def test_clipping_codec_and_loudspeaker_leave_their_marks(background: Background) -> None:
    plain = heard(SCENE, background)
    clipped = heard(replace(SCENE, drive_db=9.0), background)
    assert power_at(clipped, 3000) > 100 * power_at(plain, 3000)
    coded = heard(replace(SCENE, codec="g711"), background)
    assert len(coded) == len(plain)
    assert not np.array_equal(coded, plain)
    small = replace(SCENE, channel="loudspeaker")
    mixture = tone(60) + tone(1000)
    sound = render(mixture, small, background, number=1, level_db=-26).astype(float)
    assert power_at(sound, 60) < 0.1 * power_at(sound, 1000)


def test_a_given_response_does_not_shift_the_speech(background: Background, tmp_path: Path) -> None:
    late = np.zeros(RATE // 2, np.float32)
    late[RATE // 4] = 0.5
    path = tmp_path / "late.wav"
    soundfile.write(path, late, RATE)
    scene = replace(SCENE, response=GivenSound(str(path), "CC0-1.0", "train"))
    assert heard(scene, background) == pytest.approx(heard(SCENE, background), abs=2e-3)


def test_the_same_clip_of_a_scene_sounds_the_same(background: Background) -> None:
    noisy = replace(SCENE, noise="babble", snr_db=5.0, others=(0, 1))
    assert np.array_equal(heard(noisy, background, 3), heard(noisy, background, 3))
    assert not np.array_equal(heard(noisy, background, 3), heard(noisy, background, 4))
