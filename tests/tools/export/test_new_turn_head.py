"""A package gets another end-of-turn head, and all else that it says stays."""

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
from tools.export.onnx_graph import END_OF_TURN, export_fp32
from tools.export.package import sha256, write_package
from tools.export.parity.item import feed, open_session
from tools.export.parity.sets import synthetic_items
from tools.export.quantization import quantize_dynamic
from training.fitting.checkpoint import write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import InputError

pytestmark = pytest.mark.slow


def headed(seed: int) -> Turbo:
    """The tiny network, always with the same weights but those of the head, which `seed` draws."""
    torch.manual_seed(0)
    network = Turbo(TINY)
    torch.manual_seed(seed)
    found = Turbo(replace(TINY, end_of_turn=8))
    found.load_state_dict(network.state_dict(), strict=False)
    return found.eval()


def write_run(folder, model):
    write_start(folder, model)
    found = {"threshold": 0.6, "data": [], "held_out_collections": {}}
    write_json(folder / "metrics.json", {"end_of_turn": found})
    return folder


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("package")
    model = headed(1)
    run = write_start(folder / "run", model)
    export_fp32(model, folder / "float.onnx")
    quantize_dynamic(folder / "float.onnx", folder / "int8.onnx")
    write_package(
        folder / "package",
        name="tiny",
        version="1.0",
        language="en",
        graph=folder / "int8.onnx",
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


def test_only_the_head_is_another(package, tmp_path):
    run = write_run(tmp_path / "run", headed(2))
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
    for item in synthetic_items(headed(1), 3):
        *same, was = old.run(None, feed(item))
        *others, said = new.run(None, feed(item))
        assert all(np.array_equal(*pair) for pair in zip(same, others, strict=True))
        assert abs(said - was).max() > 1e-3
    head = read_weights(after.path(GRAPH_NAME)).end_of_turn.state_dict()
    for name, weight in headed(2).end_of_turn.state_dict().items():
        assert torch.allclose(head[name], weight, atol=0.02), name


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
    run = write_run(tmp_path / "run", Turbo(replace(TINY, end_of_turn=8)))
    out = tmp_path / "out"
    arguments = [str(package), str(run), "--out", str(out), "--package-version", "2"]
    assert run_command(main, arguments) != 0
    assert "the front has other values" in capsys.readouterr().err
    assert not out.exists()
