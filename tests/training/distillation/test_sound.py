import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs the train extra")

from click.testing import CliRunner

from models.build import start_model
from models.config import ModelError, TurboConfig
from tools.recognizers.whisper_folder import WhisperConfig, WhisperFeatureExtractor, WhisperModel
from training.distillation.sound import main

CONFIG = TurboConfig(
    text="compact", vocabulary_size=400, audio_lower_layers=2, audio_upper_layers=2
)
CLIPS = 24

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("made_vocabulary")]


@pytest.fixture(scope="module")
def whisper(tmp_path_factory):
    """A Whisper-tiny of random weights, large enough that its upper layers change their input."""
    folder = tmp_path_factory.mktemp("whisper")
    torch.manual_seed(0)
    shape = WhisperConfig(
        d_model=384,
        encoder_layers=4,
        encoder_attention_heads=6,
        encoder_ffn_dim=1536,
        decoder_layers=1,
        decoder_ffn_dim=64,
        vocab_size=60,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )
    model = WhisperModel(shape)
    with torch.no_grad():
        for parameter in model.encoder.layers[2:].parameters():
            parameter.mul_(5.0 if parameter.ndim == 2 else 1.0)
    model.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def taught(made_vocabulary, whisper, tmp_path_factory):
    root = tmp_path_factory.mktemp("taught")
    rng = np.random.default_rng(0)
    rows = []
    for index in range(CLIPS):
        tone = np.sin(np.arange(8000) * rng.uniform(0.05, 0.8)) + 0.1 * rng.standard_normal(8000)
        soundfile.write(root / f"{index}.wav", 0.2 * tone, 16_000)
        row = {"audio_filepath": f"{index}.wav", "label": "directed", "speaker": str(index)}
        rows.append({**row, "fold": "test"} if index == 0 else row)
    (root / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = [f"out={root / 'out'}", f"data.manifest={root / 'manifest.jsonl'}"]
    course = ["--steps=20", "--batch=8", "--rate=5e-5"]
    result = CliRunner().invoke(main, [str(whisper), *given, "data.variants=1", *course])
    assert result.exit_code == 0, result.output
    return root / "out"


def test_the_student_comes_closer_on_clips_held_out(taught):
    metrics = json.loads((taught / "metrics.json").read_text())
    assert metrics["clips"] == CLIPS - 1  # a test fold teaches nothing
    assert 0 < metrics["held_clips"] < CLIPS
    assert metrics["unexplained"] < 0.9 * metrics["unexplained_before"]


def test_a_run_starts_from_it_and_from_the_whole_whisper(taught, whisper):
    _, student, _ = start_model(replace(CONFIG, audio_init=str(taught)), [])
    _, plain, _ = start_model(replace(CONFIG, audio_init=str(whisper)), [])
    wave, length = torch.randn(1, 8000) * 0.1, torch.tensor([8000])
    frames = [model.audio_front(wave, length)[0] for model in (student, plain)]
    assert torch.equal(*frames)  # the lower layers stay
    upper = [model.audio_tower.layers[0].query.weight for model in (student, plain)]
    assert not torch.allclose(*upper)


def test_what_does_not_fit_is_refused(taught, whisper, tmp_path):
    with pytest.raises(ModelError, match="number of layers"):
        start_model(replace(CONFIG, audio_init=str(taught), audio_upper_layers=1), [])
    with pytest.raises(ModelError, match="audio=whisper-tiny"):
        start_model(replace(CONFIG, audio="compact", audio_init=str(whisper)), [])
    with pytest.raises(ModelError):
        start_model(replace(CONFIG, audio_init=str(tmp_path)), [])
    result = CliRunner().invoke(main, [str(whisper), f"out={tmp_path}"])
    assert result.exit_code == 2
    assert "data.manifest" in result.output
