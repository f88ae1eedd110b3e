import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

import ctranslate2
from faster_whisper.feature_extractor import FeatureExtractor

from models.build import start_model
from models.config import TurboConfig
from tests.support.paths import ROOT
from tools.recognizers.__main__ import main
from tools.recognizers.whisper_encoder import read_variables
from turbo_stream.cli.command import run_command

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


def test_the_encoder_of_a_device_gives_the_same_states_in_training(
    made_vocabulary, tmp_path, capsys
):
    command = ["whisper-encoder", str(WHISPER), "--out", str(tmp_path / "hf")]
    assert run_command(main, command) == 0
    assert json.loads(capsys.readouterr().out)["encoder"] == str(tmp_path / "hf")
    config = TurboConfig(
        audio=f"hf:{tmp_path / 'hf'}", audio_frozen=True, text="compact", hidden=32, body_heads=2
    )
    _, model, _ = start_model(config, ["turn on the lights"])
    wave = np.random.default_rng(0).normal(0, 0.1, 48_000).astype(np.float32)
    with torch.no_grad():
        states, _ = model.audio_front(torch.from_numpy(wave)[None], torch.tensor([len(wave)]))
    features = FeatureExtractor()(wave, padding=0)[None, :, :300]
    engine = ctranslate2.models.Whisper(str(WHISPER), compute_type="float32")
    given = ctranslate2.StorageView.from_array(np.ascontiguousarray(features))
    expected = np.array(engine.encode(given, to_cpu=True))[0]
    ours = states[0, : len(expected)].numpy()
    cosine = (ours * expected).sum(1)
    cosine /= np.linalg.norm(ours, axis=1) * np.linalg.norm(expected, axis=1)
    assert cosine.min() > 0.99


def test_what_is_no_whisper_is_refused_in_one_line(tmp_path, capsys):
    (tmp_path / "model.bin").write_bytes(b"\x06\x00\x00\x00\x05\x00Spec\x00\x00\x00")
    with pytest.raises(ValueError, match="a Whisper is expected"):
        read_variables(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes(b"")
    command = ["whisper-encoder", str(tmp_path), "--out", str(tmp_path / "hf")]
    assert run_command(main, command) == 2
    assert "not a model.bin of CTranslate2" in capsys.readouterr().err
