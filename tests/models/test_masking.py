import sys
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from models.audio.layers import FrameMasks
from models.mel import mel_filters
from models.sound_library import load_torchaudio
from models.turbo import Turbo
from tests.support.tiny_network import TINY


@pytest.fixture(scope="module")
def torchaudio():
    try:
        return load_torchaudio()
    except ModuleNotFoundError:
        pytest.skip("needs the train extra")


def test_the_import_survives_a_compiled_part_that_cannot_load(torchaudio):
    assert torchaudio.functional.amplitude_to_DB is not None
    assert load_torchaudio() is torchaudio is sys.modules["torchaudio"]
    if not torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE:
        with pytest.raises(RuntimeError, match="compiled part"):
            torchaudio.functional.forced_align(None, None)


@pytest.mark.parametrize("bands", [80, 128])
def test_mel_filters_agree_with_torchaudio(torchaudio, bands):
    theirs = torchaudio.functional.melscale_fbanks(
        201, 0.0, 8_000.0, bands, 16_000, norm="slaney", mel_scale="slaney"
    )
    assert torch.allclose(mel_filters(bands, 201, 16_000), theirs, atol=1e-6)


def test_a_stretch_of_time_and_one_of_bands_are_blank(torchaudio):
    torch.manual_seed(0)
    masks = FrameMasks(replace(TINY, mask_frames=20, mask_bands=10))
    frames = torch.ones(16, 100, 80)
    blank = masks(frames) == 0
    rows, bands = blank.all(dim=2).sum(dim=1), blank.all(dim=1).sum(dim=1)
    assert 0 < rows.max() <= 20 and 0 < bands.max() <= 10
    assert len(set(rows.tolist())) > 1, "every row has its own"
    expected = 100 * 80 - (100 - rows) * (80 - bands)
    assert torch.equal(blank.sum(dim=(1, 2)), expected)
    short = masks(torch.ones(4, 8, 80)) == 0
    assert short.all(dim=2).sum(dim=1).max() <= 2
    assert torch.equal(masks.eval()(frames), frames)


def test_off_is_the_frames_themselves():
    frames = torch.randn(2, 30, 80)
    assert FrameMasks(TINY)(frames) is frames


def test_the_compact_tower_uses_it_in_training_only(torchaudio):
    torch.manual_seed(0)
    config = replace(TINY, audio="compact", body_heads=2, dropout=0.0, mask_frames=40)
    tower = Turbo(config).audio_tower
    frames, mask = torch.randn(2, 200, 80), torch.ones(2, 200)
    first, second = (tower.train()(frames, mask).pooled for _ in range(2))
    assert not torch.allclose(first, second)
    first, second = (tower.eval()(frames, mask).pooled for _ in range(2))
    assert torch.equal(first, second)
