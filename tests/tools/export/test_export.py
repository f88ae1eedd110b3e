import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs the train extra")
onnx = pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from click.testing import CliRunner
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from tools.export.__main__ import main
from tools.export.onnx_graph import export_fp32
from tools.export.parity.item import Item, open_session
from tools.export.parity.logits import graph_logits, network_logits
from tools.export.parity.sets import synthetic_items
from tools.release.shipped_card import LICENCE, NAME, TEXT_SOURCES
from training.data.batch import encode
from training.fitting.checkpoint import save_setup, save_weights, write_json
from training.fitting.metrics import Affine
from training.fitting.recipe import Recipe
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import SHIPPED
from turbo_stream.detection.speech_part import speech_part

pytestmark = pytest.mark.slow


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


@pytest.fixture(scope="module")
def tokenizer():
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(56))]
    vocabulary = {word: index for index, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer


def training_folder(folder, model, tokenizer, name, **metrics):
    """What a training run leaves behind."""
    labels = model.config.labels
    save_setup(folder, Recipe(name=name, model=model.config), tokenizer)
    save_weights(folder, model)
    figures = {"n": 2, "accuracy": 0.9, "balanced_accuracy": 0.8, "macro_f1": 0.7, "eer": 0.1}
    if len(labels) > 2:
        del figures["eer"]
    collection = {
        "collection": "hwu64",
        "kind": "text",
        "rows": dict.fromkeys(labels, 3),
        "source": None,
        "license": None,
    }
    written = {
        "calibration": {
            "method": "affine",
            "scale": 2.0,
            "bias": [0.1, *[0.0] * (len(labels) - 1)],
        },
        "development": dict.fromkeys(("fused", "audio", "text"), figures),
        "data": [collection],
        **metrics,
    }
    write_json(folder / "metrics.json", written)


def assert_nothing_of_the_shipped_card(package: Path) -> None:
    """A user's package says what its own run knows: no name, licence or sentence of ours."""
    card = (package / "README.md").read_text("utf-8")
    everything = card + (package / "turbo.json").read_text("utf-8")
    sources = (source for source, _ in TEXT_SOURCES.values())
    for word in (NAME, LICENCE, LICENCE.lower(), "LICENSE-WEIGHTS", "docs/", *sources):
        assert word not in everything, word
    shipped = (SHIPPED / "README.md").read_text("utf-8")
    # Both cards tell of calibration, INT8 and the towers in the words of the generic one.
    generic = shipped[shipped.index("## Calibration") : shipped.index("## Trained on")]
    own = {line for line in shipped.splitlines() if len(line) > 20} - set(generic.splitlines())
    same = own & set(card.splitlines())
    assert not [line for line in same if not line.startswith(("|", "library", "pipeline", "- T"))]


def test_a_training_folder_becomes_a_package_that_listens(tiny, tokenizer, tmp_path):
    run, package = tmp_path / "run", tmp_path / "package"
    point = {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1}
    points = dict.fromkeys(("balanced", "fa1", "fr1"), point)
    training_folder(run, tiny, tokenizer, "rej", operating_points=points)
    result = CliRunner().invoke(main, [str(run), "--out", str(package)])
    assert result.exit_code == 0, result.output

    stored = json.loads((package / "turbo.json").read_text("utf-8"))
    assert (stored["name"], stored["version"]) == ("turbo-rej", "1.0")
    assert stored["metrics"]["parity"]["pytorch_fp32_max_logit_difference"] < 1e-4
    assert stored["metrics"]["parity"]["fp32_int8_max_probability_shift"] < 0.1
    assert stored["training"]["license"] == "not stated"
    assert stored["training"]["data"][0]["license"] is None
    assert stored["training"]["chosen_by"] == []
    graph = (package / "model.int8.onnx").read_bytes()
    assert b"/models/" not in graph and b".py" not in graph  # nor any path of this machine
    assert_nothing_of_the_shipped_card(package)

    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.detection.turbo import TurboDetector
    from turbo_stream.recognition.recognizer import Transcript

    detector = TurboDetector(ModelPackage.load(package))
    pcm = (np.random.default_rng(0).normal(0, 3000, 16_000)).astype(np.int16)
    score = detector.score(pcm, Transcript("w3 w4"))
    assert 0.0 <= score.directed_probability <= 1.0


def test_three_classes_of_compact_towers_agree_with_the_network(tokenizer, tmp_path):
    torch.manual_seed(0)
    config = replace(
        TINY,
        labels=("calm", "angry", "sad"),
        audio="compact",
        text="minilm",
        text_frozen=True,
        hidden=16,
        body_heads=2,
    )
    model = Turbo(config).eval()
    run, package = tmp_path / "run", tmp_path / "package"
    training_folder(run, model, tokenizer, "mood")
    result = CliRunner().invoke(main, [str(run), "--out", str(package), "--license", "MIT"])
    assert result.exit_code == 0, result.output

    stored = json.loads((package / "turbo.json").read_text("utf-8"))
    assert stored["name"] == "turbo-mood"
    assert stored["operating_points"] == {} and stored["threshold"] is None
    assert stored["training"]["license"] == "MIT"
    assert [base["license"] for base in stored["training"]["base_models"]] == ["Apache-2.0"]
    card = (package / "README.md").read_text("utf-8")
    assert card.startswith("---\nlicense: mit")
    assert "| collection | kind | calm | angry | sad | licence |" in card

    graph = onnx.load(package / "model.int8.onnx").graph
    of_words = [item for item in graph.initializer if item.dims[:1] == [config.vocabulary_size]]
    assert {item.data_type for item in of_words if item.dims[1] > 1} == {onnx.TensorProto.UINT8}

    from turbo_stream.detection.classifier import TurboClassifier
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.recognition.recognizer import Transcript

    classifier = TurboClassifier(ModelPackage.load(package))
    assert classifier.labels == config.labels
    rng = np.random.default_rng(0)
    for text in ("w3 w4", "w9", ""):
        pcm = rng.normal(0, 3000, int(rng.integers(4_000, 30_000))).astype(np.int16)
        found = classifier.probabilities(pcm, Transcript(text, known=bool(text)))
        ids, mask = encode(tokenizer, text, "", config.max_tokens)
        wave = speech_part(pcm).astype(np.float32) / 32_768
        logits = network_logits(model, [Item(wave, ids, mask, (0.0, 0.0, 0.0, 1.0))])
        expected = Affine(2.0, (0.1, 0.0, 0.0))(logits)[0]
        assert list(found) == list(config.labels)
        assert np.abs(np.array(list(found.values())) - expected).max() < 0.01


def test_an_encoder_of_hugging_face_is_exported_too(tmp_path):
    audio = {
        "model_type": "hubert",
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 48,
        "conv_dim": [16, 24],
        "conv_stride": [10, 32],
        "conv_kernel": [10, 32],
        "num_feat_extract_layers": 2,
        "num_conv_pos_embeddings": 8,
        "num_conv_pos_embedding_groups": 2,
    }
    text = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 1, "vocab_size": 60}
    text |= {"num_attention_heads": 2, "intermediate_size": 48}
    torch.manual_seed(0)
    model = Turbo(
        replace(
            TINY,
            audio="hf:hubert",
            audio_architecture=json.dumps(audio),
            text="hf:bert",
            text_architecture=json.dumps(text),
            fusion="cross_attention",
            body_heads=2,
        )
    )
    export_fp32(model, tmp_path / "model.onnx")
    items = synthetic_items(model, 6)
    difference = network_logits(model, items) - graph_logits(tmp_path / "model.onnx", items)
    assert np.abs(difference).max() < 1e-4


def test_what_is_no_finished_run_is_bad_use(tiny, tokenizer, tmp_path, capsys):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_command(main, [str(empty), "--out", str(tmp_path / "package")]) == 2
    assert "holds no finished training run" in capsys.readouterr().err
    training_folder(tmp_path / "run", tiny, tokenizer, "rej")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    del metrics["calibration"]
    write_json(tmp_path / "run" / "metrics.json", metrics)
    assert run_command(main, [str(tmp_path / "run"), "--out", str(tmp_path / "package")]) == 2
    assert "has no calibration" in capsys.readouterr().err


def test_what_cannot_be_exported_is_said_in_one_line(tiny, tmp_path):
    class Stubborn(torch.nn.Module):
        def forward(self, waveform, length):
            raise ValueError("no two\nlines")

    model = Turbo(TINY)
    model.audio_front = Stubborn()
    with pytest.raises(RuntimeError, match="whisper-tiny .* cannot be exported") as caught:
        export_fp32(model, tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)


def test_training_and_the_package_read_the_same_turn_before(tokenizer, tmp_path):
    """A row is scored by the run that made a package as a device scores it with that package."""
    from training.data.augment import AugmentConfig, Surroundings
    from training.data.features import AS_RECORDED, FeatureStore, front_digest
    from training.data.row import Row
    from training.fitting.scoring import Scorer, margin
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.detection.token_row import NAME_TOKEN
    from turbo_stream.detection.turbo import TurboDetector
    from turbo_stream.recognition.recognizer import Transcript

    torch.manual_seed(0)
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    tokenizer.add_special_tokens([NAME_TOKEN])
    size = tokenizer.get_vocab_size()
    model = Turbo(replace(TINY, text_input="marked", vocabulary_size=size)).eval()
    with torch.no_grad():  # what the words say must stand out from what INT8 rounds
        model.fusion.classifier[-1].weight *= 10.0
    run, package = tmp_path / "run", tmp_path / "package"
    point = {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1}
    points = dict.fromkeys(("balanced", "fa1", "fr1"), point)
    training_folder(run, model, tokenizer, "rej", operating_points=points)
    result = CliRunner().invoke(main, [str(run), "--out", str(package)])
    assert result.exit_code == 0, result.output

    pcm = np.random.default_rng(0).normal(0, 3000, 16_000).astype(np.int16)
    sound = tmp_path / "one.wav"
    soundfile.write(sound, pcm, 16_000)
    rows = [
        Row(sound, 1, "w3 w4", (), "made", "somebody", (), before) for before in ("", "w9 w5 w6")
    ]
    store = FeatureStore(
        tmp_path / "features",
        front_digest(model.audio_front),
        AugmentConfig(),
        Surroundings([], []),
        cut_to_speech=model.config.cut_to_speech,
    )
    store.fill(model, [(rows[0].clip, AS_RECORDED)])
    logits = Scorer(tokenizer, store, transcripts="gold")(model, rows)
    calibration = Affine(scale=2.0, bias=(0.1, 0.0))
    alone, after = margin(np.log(calibration(logits["fused"])), 1)
    detector = TurboDetector(ModelPackage.load(package))
    found = []
    for row in rows:
        score = detector.score(pcm, Transcript(row.text, before=row.before)).directed_probability
        found.append(np.log(score / (1.0 - score)))
    assert abs(after - alone) > 0.05
    assert np.abs(np.array(found) - [alone, after]).max() < 0.2 * abs(after - alone)
    # Sound alone knows of no turn.
    assert np.allclose(*logits["audio"], atol=1e-5)
