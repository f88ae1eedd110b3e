from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
onnx = pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from onnx import numpy_helper

import turbo_stream
from models.turbo import Turbo
from tests.support.tiny_network import TINY
from tools.export.graph_weights import read_weights
from tools.export.onnx_graph import export_fp32
from tools.export.parity.logits import graph_logits, network_logits
from tools.export.parity.sets import synthetic_items
from tools.export.quantization import quantize_dynamic
from turbo_stream.errors import PackageError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(3)
    model = Turbo(TINY).eval()
    with torch.no_grad():  # no two equal, as after training: the export folds equal ones into one
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
    return model


@pytest.fixture(scope="module")
def graphs(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("graphs")
    export_fp32(tiny, folder / "fp32.onnx")
    quantize_dynamic(folder / "fp32.onnx", folder / "int8.onnx")
    return folder


def test_a_float_graph_gives_the_network_back_bit_for_bit(tiny, graphs):
    found = read_weights(graphs / "fp32.onnx").state_dict()
    for name, value in tiny.state_dict().items():
        if "_projection." not in name:
            assert torch.equal(found[name], value), name


def test_an_int8_graph_gives_the_network_back_as_it_was_rounded(tiny, graphs):
    found = read_weights(graphs / "int8.onnx")
    assert found.config == tiny.config
    for name, value in tiny.state_dict().items():
        if "_projection." not in name:
            levels = 7 if name == "text_tower.tokens.weight" else 127  # of four bits, or of eight
            step = value.abs().max() / levels
            assert (found.state_dict()[name] - value).abs().max() <= step, name
    items = synthetic_items(tiny, 8)
    stored = graph_logits(graphs / "int8.onnx", items)
    assert np.abs(network_logits(found, items) - stored).max() < 0.1


def test_scales_along_the_axis_that_a_node_names_are_understood(tiny, graphs, tmp_path):
    """As a static quantization writes them: integers, and a node that makes floats of them."""
    proto = onnx.load(graphs / "fp32.onnx")
    name = "fusion.classifier.1.weight"
    item = next(item for item in proto.graph.initializer if item.name == name)
    value = numpy_helper.to_array(item)
    scale = (np.abs(value).max(axis=1) / 127).astype(np.float32)
    integers = np.round(value / scale[:, None]).astype(np.int8)
    proto.graph.initializer.remove(item)
    proto.graph.initializer.append(numpy_helper.from_array(integers, f"{name}_quantized"))
    proto.graph.initializer.append(numpy_helper.from_array(scale, "its_scale"))
    node = onnx.helper.make_node(
        "DequantizeLinear", [f"{name}_quantized", "its_scale"], [name], axis=0
    )
    proto.graph.node.insert(0, node)
    onnx.save(proto, tmp_path / "qdq.onnx")
    found = read_weights(tmp_path / "qdq.onnx").state_dict()[name].numpy()
    assert (np.abs(found - value) <= scale[:, None] / 2 + 1e-7).all()


def test_a_graph_of_nobody_knows_what_network_is_refused(graphs, tmp_path):
    proto = onnx.load(graphs / "int8.onnx")
    del proto.metadata_props[:]
    onnx.save(proto, tmp_path / "bare.onnx")
    with pytest.raises(PackageError, match="cannot be trained on"):
        read_weights(tmp_path / "bare.onnx")
    proto = onnx.load(graphs / "int8.onnx")
    lost = next(i for i in proto.graph.initializer if i.name.startswith("fusion.classifier.4.weig"))
    proto.graph.initializer.remove(lost)
    onnx.save(proto, tmp_path / "lacking.onnx")
    with pytest.raises(PackageError, match=r"no weights fusion\.classifier\.4\.weight"):
        read_weights(tmp_path / "lacking.onnx")


def test_the_shipped_package_can_be_trained_on():
    shipped = Path(turbo_stream.__file__).parent / "assets" / "turbo-rej-en"
    found = read_weights(shipped / "model.int8.onnx")
    assert found.config.labels == ("not_directed", "directed")
    assert all(torch.isfinite(value).all() for value in found.state_dict().values())
