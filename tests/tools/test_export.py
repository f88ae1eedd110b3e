import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from click.testing import CliRunner  # noqa: E402
from tiny_network import TINY  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers, processors  # noqa: E402

from models.turbo import Turbo  # noqa: E402
from tools.export import main  # noqa: E402
from tools.onnx_graph import export_fp32  # noqa: E402
from tools.parity import graph_logits, network_logits, open_session, synthetic_items  # noqa: E402
from training.checkpoint import save_setup, save_weights, write_json  # noqa: E402
from training.recipe import Recipe  # noqa: E402


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(0)
    return Turbo(TINY).eval()


@pytest.fixture(scope="module")
def fp32(tiny, tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_fp32(tiny, path)
    return path


def test_float_graph_equals_the_network(tiny, fp32):
    items = synthetic_items(tiny, 12)
    difference = np.abs(network_logits(tiny, items) - graph_logits(fp32, items)).max()
    assert difference < 1e-4


def test_float_graph_takes_a_padded_batch(tiny, fp32):
    inputs = {
        "waveform": np.random.default_rng(0).normal(0, 0.1, (3, 9_999)).astype(np.float32),
        "waveform_length": np.array([9_999, 4_000, 0]),
        "token_ids": np.full((3, 7), 5),
        "token_mask": np.array([[1] * 7, [1] * 3 + [0] * 4, [0] * 7]),
        "confidence": np.zeros((3, 4), np.float32),
    }
    logits, audio, text = open_session(fp32).run(None, inputs)
    with torch.inference_mode():
        expected = tiny(*map(torch.from_numpy, inputs.values()))
    assert np.abs(logits - expected.logits.numpy()).max() < 1e-4
    assert np.abs(audio - expected.audio_embedding.numpy()).max() < 1e-3
    assert np.abs(text - expected.text_embedding.numpy()).max() < 1e-3


def test_a_training_folder_becomes_a_package_that_listens(tiny, tmp_path):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(56))]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    run, package = tmp_path / "run", tmp_path / "package"
    save_setup(run, Recipe(model=TINY), tokenizer)
    save_weights(run, tiny)
    point = {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1}
    development = {mode: {"n": 2, "eer": 0.1} for mode in ("fused", "audio", "text")}
    metrics = {
        "calibration": {"method": "affine", "scale": 2.0, "bias": [0.1, 0.0]},
        "operating_points": dict.fromkeys(("balanced", "fa1", "fr1"), point),
        "development": development,
        "data": [
            {
                "collection": "hwu64",
                "kind": "text",
                "rows": {"directed": 3, "not_directed": 0},
                "source": None,
                "license": None,
            }
        ],
    }
    write_json(run / "metrics.json", metrics)
    result = CliRunner().invoke(main, [str(run), "--out", str(package)])
    assert result.exit_code == 0, result.output

    stored = json.loads((package / "turbo.json").read_text("utf-8"))
    assert stored["metrics"]["parity"]["pytorch_fp32_max_logit_difference"] < 1e-4
    assert stored["metrics"]["parity"]["fp32_int8_max_probability_shift"] < 0.1
    assert stored["training"]["data"][0]["license"] == "CC-BY-4.0"
    assert (package / "README.md").read_text("utf-8").startswith("---\nlicense:")

    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.detection.turbo import TurboDetector
    from turbo_stream.recognition.recognizer import Transcript

    detector = TurboDetector(ModelPackage.load(package))
    pcm = (np.random.default_rng(0).normal(0, 3000, 16_000)).astype(np.int16)
    detection = detector.detect(pcm, Transcript("w3 w4"))
    assert 0.0 <= detection.directed_probability <= 1.0
