"""The end-of-turn head in the graph, quantized with the rest, which it leaves as it is."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
onnx = pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.tiny_corpus import write_start
from tests.support.tiny_network import TINY
from tools.export.graph_weights import read_weights
from tools.export.new_turn_head import main, replace_head
from tools.export.onnx_graph import END_OF_TURN, OUTPUTS, export_fp32
from tools.export.package import sha256, write_package
from tools.export.parity.item import feed, open_session
from tools.export.parity.sets import synthetic_items
from tools.export.quantization import quantize_dynamic
from training.fitting.checkpoint import write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def graphs(tiny, tmp_path_factory):
    """The network and both its graphs, and the INT8 graph of the same without a head."""
    folder = tmp_path_factory.mktemp("graphs")
    torch.manual_seed(1)
    model = Turbo(replace(TINY, end_of_turn=40)).eval()
    model.load_state_dict(tiny.state_dict(), strict=False)
    for name, network in (("with", model), ("without", tiny)):
        export_fp32(network, folder / f"{name}.onnx")
        quantize_dynamic(folder / f"{name}.onnx", folder / f"{name}.int8.onnx")
    return model, folder


def test_the_float_graph_says_what_the_network_says(graphs):
    model, folder = graphs
    session = open_session(folder / "with.onnx")
    for item in synthetic_items(model, 3):
        inputs = feed(item)
        (found,) = session.run([END_OF_TURN], inputs)
        with torch.inference_mode():
            expected = model(*map(torch.from_numpy, inputs.values())).end_of_turn
        assert found.shape == (1,)
        assert found == pytest.approx(expected.numpy(), abs=1e-4)


def test_int8_outputs_but_the_new_one_are_the_same_to_the_last_bit(graphs):
    model, folder = graphs
    with_head, without = (open_session(folder / f"{n}.int8.onnx") for n in ("with", "without"))
    assert [node.name for node in without.get_outputs()] == list(OUTPUTS)
    assert [node.name for node in with_head.get_outputs()] == [*OUTPUTS, END_OF_TURN]
    float_head = open_session(folder / "with.onnx")
    for item in synthetic_items(model, 3):
        *same, said = with_head.run(None, feed(item))
        for one, other in zip(same, without.run(None, feed(item)), strict=True):
            assert np.array_equal(one, other)
        assert said == pytest.approx(float_head.run([END_OF_TURN], feed(item))[0], abs=0.2)


def test_the_head_comes_back_from_the_graph(graphs):
    model, folder = graphs
    back = read_weights(folder / "with.int8.onnx")
    assert back.config.end_of_turn == 40
    for name, weight in model.end_of_turn.state_dict().items():
        assert torch.allclose(back.end_of_turn.state_dict()[name], weight, atol=0.02), name


def write_run(folder, model):
    write_start(folder, model)
    found = {"threshold": 0.6, "data": [], "held_out_collections": {}}
    write_json(folder / "metrics.json", {"end_of_turn": found})
    return folder


@pytest.fixture(scope="module")
def package(graphs):
    model, folder = graphs
    run = write_start(folder / "run", model)
    write_package(
        folder / "package",
        name="tiny",
        version="1.0",
        language="en",
        graph=folder / "with.int8.onnx",
        tokenizer=run / "tokenizer.json",
        card="# tiny\n",
        config=json.loads((run / "config.json").read_text())["model"],
        metrics={
            "calibration": {"method": "affine", "scale": 1.0, "bias": [0.0] * len(TINY.labels)},
            "operating_points": {
                "balanced": {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1}
            },
            "development": {"eer": 0.1},
            "end_of_turn": {"threshold": 0.7},
        },
        training={"license": "none", "base_models": [], "data": []},
        parity={"items": 3},
        reports={},
    )
    return folder / "package"


def test_only_the_head_of_a_package_is_another(graphs, package, tmp_path):
    model, _ = graphs
    torch.manual_seed(2)
    anew = Turbo(model.config).eval()
    head = anew.end_of_turn.state_dict()
    anew.load_state_dict(
        model.state_dict() | {f"end_of_turn.{name}": value for name, value in head.items()}
    )
    run = write_run(tmp_path / "run", anew)
    out = tmp_path / "out"
    arguments = [str(package), str(run), "--out", str(out), "--package-version", "2"]
    assert run_command(main, arguments) == 0
    before, after = ModelPackage.load(package), ModelPackage.load(out)
    assert (after.version, after.finished_threshold) == ("2", 0.6)
    assert after.metrics["parity"] == before.metrics["parity"] == {"items": 3}
    assert sha256(after.path(GRAPH_NAME)) != sha256(before.path(GRAPH_NAME))
    old, new = (open_session(one.path(GRAPH_NAME)) for one in (before, after))
    names = [node.name for node in old.get_outputs()]
    assert names[-1] == END_OF_TURN and len(names) == 4
    for item in synthetic_items(model, 3):
        *same, was = old.run(None, feed(item))
        *others, said = new.run(None, feed(item))
        assert all(np.array_equal(*pair) for pair in zip(same, others, strict=True))
        assert abs(said - was).max() > 1e-3
    back = read_weights(after.path(GRAPH_NAME)).end_of_turn.state_dict()
    for name, weight in anew.end_of_turn.state_dict().items():
        assert torch.allclose(back[name], weight, atol=0.02), name


def test_a_package_whose_head_is_of_another_size_is_refused_before_anything_is_written(
    graphs, package, tmp_path, capsys
):
    model, _ = graphs
    wide = Turbo(replace(model.config, end_of_turn=model.config.end_of_turn + 4)).eval()
    mine = {n: v for n, v in model.state_dict().items() if not n.startswith("end_of_turn.")}
    wide.load_state_dict(wide.state_dict() | mine)
    run = write_run(tmp_path / "run", wide)
    out = tmp_path / "out"
    arguments = [str(package), str(run), "--out", str(out), "--package-version", "2"]
    assert run_command(main, arguments) != 0
    assert "other sizes" in capsys.readouterr().err
    assert not out.exists()


def test_a_graph_with_no_such_head_is_refused(package, tmp_path):
    proto = onnx.load(str(package / GRAPH_NAME))
    for item in proto.graph.initializer:
        if item.name == "end_of_turn.entry.bias":
            item.CopyFrom(onnx.numpy_helper.from_array(np.zeros(9, np.float32), item.name))
    onnx.save(proto, str(tmp_path / "wide.onnx"))
    with pytest.raises(InputError, match="other sizes of them"):
        replace_head(package / GRAPH_NAME, tmp_path / "wide.onnx", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_run_of_another_front_is_refused(package, tmp_path, capsys):
    torch.manual_seed(7)
    run = write_run(tmp_path / "run", Turbo(replace(TINY, end_of_turn=40)))
    out = tmp_path / "out"
    arguments = [str(package), str(run), "--out", str(out), "--package-version", "2"]
    assert run_command(main, arguments) != 0
    assert "the front has other values" in capsys.readouterr().err
    assert not out.exists()
