"""What tests of the export share: a tiny network, and its float graph."""

import pytest


@pytest.fixture(scope="module")
def tiny():
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from models.turbo import Turbo
    from tests.support.tiny_network import TINY

    torch.manual_seed(0)
    return Turbo(TINY).eval()


@pytest.fixture(scope="module")
def fp32(tiny, tmp_path_factory):
    from tools.export.onnx_graph import export_fp32

    path = tmp_path_factory.mktemp("graph") / "model.onnx"
    export_fp32(tiny, path)
    return path
