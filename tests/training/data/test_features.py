from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("soundfile")

from models.turbo import Turbo
from tests.support.tiny_corpus import write_tone
from tests.support.tiny_network import TINY
from training.data.augment import AugmentConfig, Surroundings
from training.data.clip import Clip, read_wave
from training.data.features import AS_RECORDED, FeatureStore, TextStates, front_digest
from turbo_stream.errors import InputError


def store(folder, model, augment=None, surroundings=None):
    return FeatureStore(
        folder,
        front_digest(model.audio_front),
        augment or AugmentConfig(),
        surroundings or Surroundings(),
    )


def files(folder):
    return len(list(folder.rglob("*.npy")))


def test_what_is_kept_is_told_apart_by_front_channel_and_part(tiny, tmp_path):
    clip = Clip(tmp_path / "a.wav")
    write_tone(clip.path, 300.0, seconds=1.0)
    kept = tmp_path / "features"
    items = [(clip, AS_RECORDED), (clip, 0)]
    first = store(kept, tiny)
    first.fill(tiny, items)
    assert files(kept) == 2
    store(kept, tiny).fill(tiny, items)
    assert files(kept) == 2

    torch.manual_seed(1)
    other = Turbo(TINY)
    store(kept, other).fill(other, items)
    assert files(kept) == 4
    assert not np.array_equal(first.load(*items[0]), store(kept, other).load(*items[0]))

    # Another channel changes what went through it, and not what was taken as it is.
    store(kept, tiny, replace(AugmentConfig(), codec_probability=1.0)).fill(tiny, items)
    noise = np.ones(100, np.float32)
    store(kept, tiny, surroundings=Surroundings(noises=[noise])).fill(tiny, items)
    assert files(kept) == 6

    part = Clip(clip.path, 0.25, 0.5)
    first.fill(tiny, [(part, AS_RECORDED)])
    assert files(kept) == 7
    assert len(first.load(part, AS_RECORDED)) < len(first.load(*items[0]))


def test_the_last_frames_are_given_and_all_are_kept(tiny, tmp_path):
    clip = Clip(tmp_path / "a.wav")
    write_tone(clip.path, 300.0, seconds=1.0)
    whole = store(tmp_path / "features", tiny)
    whole.fill(tiny, [(clip, AS_RECORDED)])
    cut = replace(whole, most_frames=7, _memory={})
    cut.fill(tiny, [(clip, AS_RECORDED)])
    frames = whole.load(clip, AS_RECORDED)
    assert len(frames) > 14
    assert np.array_equal(cut.load(clip, AS_RECORDED), frames[-7:])
    assert cut.load(clip, AS_RECORDED).base is None
    assert files(tmp_path / "features") == 1
    longer = replace(whole, most_frames=1000, _memory={})
    assert np.array_equal(longer.load(clip, AS_RECORDED), frames)


def test_a_part_of_a_file_is_read_and_a_bad_file_is_named(tmp_path):
    write_tone(tmp_path / "a.wav", 300.0, seconds=1.0)
    whole = read_wave(Clip(tmp_path / "a.wav"))
    part = read_wave(Clip(tmp_path / "a.wav", 0.25, 0.5))
    assert np.array_equal(part, whole[4000:12000])
    (tmp_path / "b.wav").write_text("no sound")
    with pytest.raises(InputError, match="b.wav"):
        read_wave(Clip(tmp_path / "b.wav"))


def test_remembered_text_states_are_those_of_the_front():
    torch.manual_seed(0)
    model = Turbo(replace(TINY, text_frozen=True, body_heads=2)).eval()
    states = TextStates(model, most=2)
    texts = [[2, 5, 6, 3], [2, 7, 3], [2, 8, 9, 10, 3], [2, 7, 3]]
    for _ in range(2):
        found = states(texts)
        assert found.shape == (4, 5, model.text_front.width)
        for row, ids in zip(found, texts, strict=True):
            tokens = torch.tensor([ids])
            alone = model.text_front(tokens, torch.ones_like(tokens))[0]
            torch.testing.assert_close(row[: len(ids)], alone, atol=2e-3, rtol=2e-3)
            assert not row[len(ids) :].any()
    assert len(states._memory) == 2
