"""smart-turn as the judge of pauses, on a graph of one product, and on the real one."""

import importlib.util

import numpy as np
import pytest

from tests.support.paths import ROOT
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.segmentation.segment import PauseScore
from turbo_stream.segmentation.smart_turn import SmartTurn

onnx = pytest.importorskip("onnx", reason="needs the test extra")

RATE = 16_000


def graph(path, *, frames=800, name="input_features", outputs=1, constant=None):
    """Write a graph whose answer is the mean of the newest second, squeezed into [0, 1]."""
    from onnx import TensorProto, helper, numpy_helper

    weight = np.zeros((80 * frames, outputs), np.float32)
    weight.reshape(80, frames, outputs)[:, -100:] = 1 / 8000
    bias = np.full((1, outputs), 0.0 if constant is None else constant, np.float32)
    end = "Sigmoid" if constant is None else "Identity"
    nodes = [
        helper.make_node("Flatten", [name], ["flat"]),
        helper.make_node("MatMul", ["flat", "weight"], ["product"]),
        helper.make_node("Mul" if constant is None else "Add", ["product", "bias"], ["sum"]),
        helper.make_node(end, ["sum"], ["logits"]),
    ]
    if constant is None:
        bias += 4.0
    made = helper.make_graph(
        nodes,
        "turn",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", 80, frames])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", outputs])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 3000, int(seconds * RATE)).astype(np.int16)


def test_the_newest_sound_is_what_counts(tmp_path):
    judge = SmartTurn(graph(tmp_path / "turn.onnx"))
    quiet = np.zeros(RATE, np.int16)
    loud_end = judge.score_pause(np.concatenate([quiet, noise(1)]))
    quiet_end = judge.score_pause(np.concatenate([noise(1), quiet]))
    assert isinstance(loud_end, PauseScore)
    assert loud_end.directed_probability is None
    assert loud_end.finished_probability > quiet_end.finished_probability + 0.2


def test_only_the_last_eight_seconds_are_heard(tmp_path):
    judge = SmartTurn(graph(tmp_path / "turn.onnx"))
    newest = noise(8)
    assert judge.score_pause(np.concatenate([noise(3, seed=1), newest])) == judge.score_pause(
        newest
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"frames": 3000}, "takes"),
        ({"name": "mel"}, "takes"),
        ({"outputs": 2}, "2 numbers"),
        ({"constant": 7.0}, "where smart-turn v3 gives a probability"),
    ],
)
def test_another_graph_is_refused(tmp_path, changes, said):
    path = graph(tmp_path / "turn.onnx", **changes)
    with pytest.raises(InputError, match=said) as error:
        SmartTurn(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_graph_that_gives_no_number_is_an_error(tmp_path):
    with pytest.raises(TurboStreamError, match="no finite score"):
        SmartTurn(graph(tmp_path / "turn.onnx", constant=np.nan))


def test_a_file_that_is_no_graph_is_refused(tmp_path):
    path = tmp_path / "turn.onnx"
    with pytest.raises(InputError, match="no end-of-turn model"):
        SmartTurn(path)
    path.write_bytes(b"no graph")
    with pytest.raises(InputError, match="cannot be loaded"):
        SmartTurn(path)


def test_a_graph_that_would_read_another_file_is_refused(tmp_path):
    path = graph(tmp_path / "turn.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location=".weights")
    with pytest.raises(InputError, match="would read further files, such as '.weights'"):
        SmartTurn(path)


def test_features_are_those_of_its_own_package():
    """The real network gives the same probability as with the feature code it comes with."""
    pytest.importorskip("torch", reason="needs the train extra")
    from models.pretrained import smart_turn_file

    try:
        path = smart_turn_file()
    except FileNotFoundError:
        pytest.skip("needs: pip install --no-deps pipecat-ai")
    code = path.parent.parent / "_whisper_features.py"
    if not code.exists():
        pytest.skip("needs: pip install --no-deps pipecat-ai==1.14.0, which has the feature code")
    spec = importlib.util.spec_from_file_location("their_features", code)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    import onnxruntime
    import soundfile

    wave, _ = soundfile.read(ROOT / "examples" / "kitchen.flac", frames=70_000)
    pcm = np.round(wave * 32767).astype(np.int16)
    padded = np.zeros(8 * RATE, np.float32)
    padded[-len(pcm) :] = pcm / 32768
    features = theirs.compute_whisper_log_mel_features(padded, do_normalize=True)
    session = onnxruntime.InferenceSession(str(path))
    expected = float(session.run(None, {"input_features": features[None]})[0].item())
    found = SmartTurn(path).score_pause(pcm).finished_probability
    assert found == pytest.approx(expected, abs=0.01)
