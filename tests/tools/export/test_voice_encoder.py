"""The voice encoder's graph is its maker's network, and no other weights become it."""

import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")
import onnxruntime

from tools.export.voice_encoder import MEMBER, graph, read_weights
from turbo_stream.errors import InputError


def test_the_graph_is_pytorchs_lstm() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
    linear = torch.nn.Linear(256, 256)
    named = {f"lstm.{name}": value for name, value in lstm.named_parameters()}
    named |= {f"linear.{name}": value for name, value in linear.named_parameters()}
    mels = torch.rand(3, 50, 40)
    with torch.no_grad():
        wanted = torch.relu(linear(lstm(mels)[1][0][-1]))
        wanted = (wanted / wanted.norm(dim=1, keepdim=True)).numpy()
    weights = {name: value.detach().numpy() for name, value in named.items()}
    for kind, apart in ((np.float32, 1e-5), (np.float16, 2e-3)):
        model = graph(weights, kind).SerializeToString()
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        (found,) = session.run(None, {"mels": mels.numpy()})
        assert np.abs(found - wanted).max() < apart


def test_other_weights_are_refused(tmp_path) -> None:
    wheel = tmp_path / "some.whl"
    with pytest.raises(InputError, match="give the wheel of resemblyzer"):
        read_weights(wheel)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("other.py", "")
    with pytest.raises(InputError, match="give the wheel of resemblyzer"):
        read_weights(wheel)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(MEMBER, b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match="another than that of resemblyzer"):
        read_weights(wheel)
