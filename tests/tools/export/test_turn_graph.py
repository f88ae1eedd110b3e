"""The end-of-turn head in the graph, quantized with the rest, which it leaves as it is."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")
pytest.importorskip("onnxscript", reason="needs the train extra")

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from tools.export.graph_weights import read_weights
from tools.export.onnx_graph import END_OF_TURN, OUTPUTS, export_fp32
from tools.export.parity.item import feed, open_session
from tools.export.parity.sets import synthetic_items
from tools.export.quantization import quantize_dynamic

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
