"""A real export of a tiny network: both quantizations, the whole report, and what is refused."""

import json
import re
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch", reason="needs the train extra")
onnx = pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from click.testing import CliRunner
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.support.paths import ROOT
from tests.support.tiny_network import TINY
from tools.export import __main__ as export
from tools.export.fused_attention import fuse_attention
from tools.export.parity.item import Item, feed, open_session
from tools.export.parity.logits import graph_logits, network_logits
from tools.export.parity.sets import synthetic_items
from tools.export.quantization import quantize_dynamic, quantize_static
from training.fitting.checkpoint import save_setup, save_weights, write_json
from training.fitting.recipe import Recipe
from turbo_stream.cli.command import run_command

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    """What a training run leaves behind."""
    folder = tmp_path_factory.mktemp("run")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{i}" for i in range(56))]
    tokenizer = Tokenizer(models.WordPiece({w: i for i, w in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    save_setup(folder, Recipe(name="tiny", model=tiny.config), tokenizer)
    save_weights(folder, tiny)
    figures = {"n": 2, "accuracy": 0.9, "balanced_accuracy": 0.8, "macro_f1": 0.7, "eer": 0.1}
    point = {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1}
    written = {
        "calibration": {"method": "affine", "scale": 2.0, "bias": [0.1, 0.0]},
        "development": dict.fromkeys(("fused", "audio", "text"), figures),
        "operating_points": dict.fromkeys(("balanced", "fa1", "fr1"), point),
        "data": [],
    }
    write_json(folder / "metrics.json", written)
    return folder


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(32):
        sound = rng.normal(0, 0.01 * (1 + number % 5), int(rng.integers(3_000, 9_000)))
        soundfile.write(folder / f"{number}.wav", sound, 16_000)
        label = ("directed", "not_directed")[number % 2]
        row = {"audio_filepath": f"{number}.wav", "label": label, "speaker": f"s{number % 6}"}
        rows.append(row | {"text": f"w{number} w{number // 2}"})
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def exported_as(fp32, monkeypatch):
    """Have the command take a graph that is exported already."""
    monkeypatch.setattr(export, "export_fp32", lambda _, path: path.write_bytes(fp32.read_bytes()))


def test_attention_is_one_node_and_says_the_same(tiny, fp32):
    graph = onnx.load(fp32).graph
    kinds = [node.op_type for node in graph.node]
    layers = TINY.audio_lower_layers + TINY.audio_upper_layers + TINY.text_layers
    assert kinds.count("MultiHeadAttention") == layers and kinds.count("Gelu") > layers
    items = synthetic_items(tiny, 12)
    assert np.abs(network_logits(tiny, items) - graph_logits(fp32, items)).max() < 1e-4
    assert fuse_attention(onnx.load(fp32)) == 0  # there is none left


def test_both_quantizations_have_one_scale_a_column_and_stay_near(tiny, fp32, tmp_path):
    items = synthetic_items(tiny, 12)
    expected = graph_logits(fp32, items)
    quantize_dynamic(fp32, tmp_path / "dynamic.onnx")
    quantize_static(fp32, tmp_path / "static.onnx", synthetic_items(tiny, 16, seed=1))
    for name in ("dynamic", "static"):
        graph = onnx.load(tmp_path / f"{name}.onnx").graph
        stored = {item.name: item for item in graph.initializer}
        widths = {
            tuple(stored[f"{key.removesuffix('_quantized')}_scale"].dims)
            for key, item in stored.items()
            if key.endswith("_quantized") and item.dims[:1] == [48]
        }
        assert widths == {(48,), (64,), (96,)}, name
        found = graph_logits(tmp_path / f"{name}.onnx", items)
        assert 0 < np.abs(found - expected).max() < 0.1, name
    kinds = {node.op_type for node in onnx.load(tmp_path / "static.onnx").graph.node}
    assert "DequantizeLinear" in kinds and "DynamicQuantizeLinear" not in kinds


def test_the_dynamic_graph_takes_one_row_and_the_static_one_depends_on_no_other(
    tiny, fp32, tmp_path
):
    quantize_dynamic(fp32, tmp_path / "dynamic.onnx")
    quantize_static(fp32, tmp_path / "static.onnx", synthetic_items(tiny, 16, seed=1))
    one, loud = (
        feed(Item(wave, [4] * 6, [1] * 6, (-0.5, 0.0, 1.0, 0.0)))
        for wave in np.random.default_rng(0)
        .normal(0, [[0.01], [0.9]], (2, 8000))
        .astype(np.float32)
    )
    both = {name: np.concatenate([one[name], loud[name]]) for name in one}
    dynamic, static = (open_session(tmp_path / f"{name}.onnx") for name in ("dynamic", "static"))
    assert dynamic.run(["logits"], one)[0].shape == (1, 2)
    with pytest.raises(Exception, match="Got: 2 Expected: 1"):
        dynamic.run(["logits"], both)
    difference = static.run(["logits"], both)[0][0] - static.run(["logits"], one)[0][0]
    assert np.abs(difference).max() < 1e-5


def test_weights_of_7_bits_never_saturate(fp32, tmp_path):
    quantize_dynamic(fp32, tmp_path / "int7.onnx", reduce_range=True)
    for item in onnx.load(tmp_path / "int7.onnx").graph.initializer:
        if item.name.endswith("_quantized"):
            values = onnx.numpy_helper.to_array(item).astype(int)
            assert 2 * 255 * np.abs(values).max() < 2**15


def test_the_report_has_every_system_and_a_page_that_stands_alone(
    run, manifest, fp32, tmp_path, monkeypatch
):
    exported_as(fp32, monkeypatch)
    monkeypatch.setattr("tools.export.parity.footprint._REPEATS", 1)
    monkeypatch.setattr(export, "measure_systems", partial(export.measure_systems, rounds=2))
    package, report = tmp_path / "package", tmp_path / "parity"
    arguments = [str(run), "--out", str(package), "--manifest", str(manifest)]
    arguments += ["--parity", str(report), "--quantization", "static"]
    result = CliRunner().invoke(export.main, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads((report / "parity.json").read_text())
    assert found["quantization"]["chosen"] == "static"
    assert set(found["quantization"]["candidates"]) == {"dynamic", "static"}
    assert found["items"] == 24 and found["calibration_items"] == 8
    assert found["pytorch_fp32_max_logit_difference"] < 1e-4
    assert abs(found["eer_difference"]) < 0.2 and found["threshold"] == 0.5
    assert {"fp32", "dynamic", "static", "PyTorch"} <= set(found["systems"])
    assert len(found["systems"]) + len(found["skipped"]) == 5
    for figures in found["systems"].values():
        assert figures["bytes"] > 0 and 0 < figures["load_s"] < figures["ready_s"]
        assert set(figures["latency_ms"]) == {"1s", "3s", "8s"}
        assert all(each["p50"] <= each["p95"] for each in figures["latency_ms"].values())
    assert found["systems"]["static"]["times_chosen"]["latency_3s"] == 1
    assert found["systems"]["fp32"]["times_chosen"]["bytes"] > 1
    met = {item["what"]: item["met"] for item in found["targets"]}
    assert len(met) == 7 and met["graph on disk"] is True

    page = (report / "parity.html").read_text()
    assert page.count("data:image/png;base64,") == 3
    assert not re.search(r'(src|href)="(?!data:)', page)
    for text in ("static (taken)", "PyTorch", "Targets"):
        assert text in page
    assert {path.name for path in report.iterdir()} >= {"scores_dynamic.png", "latency.png"}
    stored = json.loads((package / "turbo.json").read_text())["metrics"]["parity"]
    assert stored == found


def test_a_bad_quantization_is_not_taken_and_two_bad_ones_end_the_export(
    run, manifest, fp32, tmp_path, monkeypatch, capsys
):
    def broken(source, target, *_):
        """Give every embedding the sign of its own noise: scores that say nothing."""
        model = onnx.load(str(source))
        rng = np.random.default_rng(3)
        for item in model.graph.initializer:
            if item.name.startswith("fusion.classifier") and len(item.dims) == 2:
                noise = rng.normal(0, 3, tuple(item.dims)).astype(np.float32)
                item.CopyFrom(onnx.numpy_helper.from_array(noise, item.name))
        onnx.save(model, str(target))

    exported_as(fp32, monkeypatch)
    # The clips are labelled as the network sees them, so that only damage can lose anything.
    tuned = manifest.with_name("tuned.jsonl")
    rows = [json.loads(line) for line in manifest.read_text().splitlines()]
    from tools.export.parity.sets import recorded_sets
    from training.fitting.checkpoint import load_model

    model, tokenizer = load_model(run)
    sets = recorded_sets(model, tokenizer, manifest, ())
    logits = graph_logits(fp32, sets.test)
    lengths = [len(item.sound) for item in sets.test]
    margins = dict(zip(lengths, logits[:, 1] - logits[:, 0], strict=True))
    middle = np.median(list(margins.values()))
    for row in rows:
        length = soundfile.info(manifest.with_name(row["audio_filepath"])).frames
        row["label"] = "directed" if margins.get(length, 1.0) > middle else "not_directed"
    tuned.write_text("".join(json.dumps(row) + "\n" for row in rows))

    monkeypatch.setattr(export, "quantize_static", broken)
    arguments = [str(run), "--out", str(tmp_path / "package"), "--manifest", str(tuned)]
    monkeypatch.setattr(
        export, "quantize_dynamic", lambda source, target: target.write_bytes(source.read_bytes())
    )
    result = CliRunner().invoke(export.main, arguments)
    assert result.exit_code == 0, result.output
    choice = json.loads(result.stdout)["quantization"]
    assert choice["chosen"] == "dynamic" and choice["candidates"]["static"]["eer_difference"] > 0.01

    monkeypatch.setattr(export, "quantize_dynamic", broken)
    assert run_command(export.main, [*arguments[:2], str(tmp_path / "two"), *arguments[3:]]) == 1
    assert "INT8 costs more than 0.2 points" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()


def test_smart_turn_is_left_out_where_it_is_not_installed(monkeypatch):
    from tools.export.parity.smart_turn import smart_turn_graph

    monkeypatch.setitem(sys.modules, "pipecat", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert smart_turn_graph() is None


def test_what_a_system_costs_is_measured_without_torch() -> None:
    """The processes that open a graph must not hold what the product does not need."""
    code = (
        "import sys, tools.export.parity.footprint, tools.export.parity.smart_turn; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
