from contextlib import suppress
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
transformers = pytest.importorskip("transformers", reason="needs the train extra")

from tokenizers import Tokenizer, models, pre_tokenizers, processors

from models.build import start_model
from models.config import ModelError
from models.sound_library import load_torchaudio
from models.turbo import Turbo
from tests.support.tiny_network import TINY, row

WAVE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "conv_dim": (16, 16, 24),
    "conv_stride": (5, 8, 8),
    "conv_kernel": (10, 8, 8),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
}
LAYER_NORM = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
AUDIO = {
    "hubert": lambda: transformers.HubertConfig(**WAVE),
    "hubert-large": lambda: transformers.HubertConfig(**WAVE, **LAYER_NORM),
    "wav2vec2": lambda: transformers.Wav2Vec2Config(**WAVE),
    "wavlm": lambda: transformers.WavLMConfig(**WAVE),
    "whisper": lambda: transformers.WhisperConfig(
        d_model=32,
        encoder_layers=2,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        num_mel_bins=80,
        max_source_positions=60,
        vocab_size=60,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
    ),
}


def save_text_encoder(folder):
    """A BERT of two layers with random weights and its tokenizer."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{index}" for index in range(56))]
    table = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(table, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
    )
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def save_audio_encoder(kind, folder):
    config = AUDIO[kind]()
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    if kind == "whisper":
        transformers.WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    else:
        transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    with suppress(ModuleNotFoundError):
        load_torchaudio()
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("hub")
    for kind in AUDIO:
        save_audio_encoder(kind, root / kind)
    save_text_encoder(root / "bert")
    return root


def start(folders, kind, **changes):
    torch.manual_seed(0)
    config = replace(
        TINY, audio=f"hf:{folders / kind}", text=f"hf:{folders / 'bert'}", body_heads=2, **changes
    )
    return start_model(config, [])


def theirs(kind, folder, wave):
    """The same sound through transformers as its authors meant it: one clip, no padding."""
    model = transformers.AutoModel.from_pretrained(folder).eval()
    values = ((wave - wave.mean()) / torch.sqrt(wave.var(unbiased=False) + 1e-7))[None]
    return model(values).last_hidden_state[0]


@pytest.mark.parametrize("kind", [kind for kind in AUDIO if kind != "whisper"])
@torch.inference_mode()
def test_one_clip_is_encoded_as_by_transformers(folders, kind):
    _, model, _ = start(folders, kind, audio_frozen=True)
    wave = torch.randn(9_000, generator=torch.Generator().manual_seed(0)) * 0.1
    frames, mask = model.eval().audio_front(wave[None], torch.tensor([9_000]))
    expected = theirs(kind, folders / kind, wave)
    assert int(mask.sum()) == len(expected)
    assert torch.allclose(frames[0, : len(expected)], expected, atol=1e-4)


@torch.inference_mode()
def test_whisper_is_encoded_as_by_transformers(folders):
    _, model, _ = start(folders, "whisper", audio_frozen=True)
    wave = torch.randn(19_200, generator=torch.Generator().manual_seed(0)) * 0.1
    stem = model.eval().audio_front.stem
    mel, _ = stem.mel(wave[None], torch.tensor([19_200]))
    encoder = transformers.AutoModel.from_pretrained(folders / "whisper").encoder.eval()
    expected = encoder(mel[:, :120].transpose(1, 2)).last_hidden_state
    frames, mask = model.audio_front(wave[None], torch.tensor([19_200]))
    assert int(mask.sum()) == 60
    # A frame more than they take: its padding may not leak into the last one but one.
    assert torch.allclose(frames[:, :59], expected[:, :59], atol=1e-4)


@torch.inference_mode()
def test_whisper_hears_the_level_as_it_was_trained_to(folders):
    _, model, _ = start(folders, "whisper")
    wave = torch.randn(16_000, generator=torch.Generator().manual_seed(0)).numpy() * 0.1
    extractor = transformers.WhisperFeatureExtractor.from_pretrained(folders / "whisper")
    expected = extractor(wave, sampling_rate=16_000, return_tensors="pt").input_features[0]
    mel, _ = model.audio_front.mel(torch.from_numpy(wave)[None], torch.tensor([16_000]))
    assert torch.allclose(mel[0, 2:98], expected[:, 2:98].T, atol=1e-3)


@torch.inference_mode()
def test_text_is_encoded_as_by_transformers(folders):
    _, model, tokenizer = start(folders, "hubert", text_frozen=True)
    encoding = tokenizer.encode("w3 w4", "w9")
    ids = torch.tensor([encoding.ids])
    states = model.eval().text_front(ids, torch.ones_like(ids))
    bert = transformers.AutoModel.from_pretrained(folders / "bert").eval()
    expected = bert(ids, token_type_ids=torch.tensor([encoding.type_ids])).last_hidden_state
    assert torch.allclose(states, expected, atol=1e-5)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("kind", list(AUDIO))
@torch.inference_mode()
def test_a_row_does_not_see_its_batch(folders, kind, frozen):
    _, model, _ = start(folders, kind, audio_frozen=frozen, text_frozen=frozen)
    model.eval()
    alone = model(*row(9_000, 7))
    lacking = list(row(8_000, 4, text=0, pad_samples=12_000, pad_tokens=3))
    lacking[1] = torch.tensor([0])
    rows = (
        row(9_000, 7, pad_samples=11_000),
        row(20_000, 3, seed=1, pad_tokens=4),
        row(100, 3, seed=2, pad_samples=19_900, pad_tokens=4),
        lacking,
    )
    batch = model(*[torch.cat(part) for part in zip(*rows, strict=True)])
    short = model(*row(100, 3, seed=2))
    for one, tiny, together in zip(alone[:3], short[:3], batch[:3], strict=True):
        assert torch.allclose(one, together[:1], atol=1e-5)
        assert torch.allclose(tiny, together[2:3], atol=1e-5)
        assert torch.isfinite(together).all()
    assert torch.equal(batch.audio_embedding[3], model.audio_tower.missing)
    assert torch.equal(batch.text_embedding[3], model.text_tower.missing)


@pytest.mark.parametrize("kind", list(AUDIO))
def test_fine_tuning_differs_by_dropout_alone_and_reaches_every_layer(folders, kind):
    _, model, _ = start(folders, kind, dropout=0.3)
    inputs = row(9_000, 5)
    model.train()
    first, second = model(*inputs), model(*inputs)
    assert not torch.allclose(first.audio_embedding, second.audio_embedding)
    assert not torch.allclose(first.text_embedding, second.text_embedding)
    first.logits.square().sum().backward()
    for name, value in model.named_parameters():
        front = name.startswith(("audio_front.", "text_front."))
        if name.startswith(("audio_tower.", "text_tower.")) or front:
            assert (value.grad is None) == front, name
    groups = model.parameter_groups()
    assert groups["audio"] and groups["text"]

    _, still, _ = start(folders, kind, dropout=0.0)
    still.train()
    first, second = still(*inputs), still(*inputs)
    assert torch.equal(first.logits, second.logits)


def test_a_checkpoint_is_whole_without_the_encoders(folders, tmp_path):
    config, model, _ = start(folders, "hubert")
    again = Turbo(replace(config, audio="hf:gone", text="hf:gone"))
    again.load_state_dict(model.state_dict())
    inputs = row(9_000, 5)
    with torch.inference_mode():
        assert torch.equal(again.eval()(*inputs).logits, model.eval()(*inputs).logits)


def test_an_architecture_alone_gives_random_weights():
    import json

    audio, text = {"model_type": "hubert", **WAVE}, {"model_type": "bert", "hidden_size": 32}
    text |= {"num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": 60}
    config = replace(
        TINY,
        audio="hf:hubert",
        audio_architecture=json.dumps(audio),
        text="hf:bert",
        text_architecture=json.dumps(text),
    )
    with torch.inference_mode():
        assert torch.isfinite(Turbo(config).eval()(*row(9_000, 5)).logits).all()


@pytest.mark.parametrize("field", ["audio", "text"])
def test_what_cannot_be_loaded_is_said_in_one_line(field, folders, tmp_path):
    empty, gone, other = tmp_path / "hollow", tmp_path / "gone", tmp_path / "other"
    empty.mkdir()
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "nonsense"}')
    base = replace(TINY, audio=f"hf:{folders / 'hubert'}", text=f"hf:{folders / 'bert'}")
    for folder in (empty, gone, other):
        with pytest.raises(ModelError, match="cannot be loaded") as caught:
            start_model(replace(base, **{field: f"hf:{folder}"}), [])
        assert "\n" not in str(caught.value)


def test_an_encoder_of_the_wrong_kind_is_refused(folders):
    config = replace(TINY, audio=f"hf:{folders / 'bert'}", text=f"hf:{folders / 'bert'}")
    with pytest.raises(ModelError, match="a bert is no audio encoder known here"):
        start_model(config, [])
