"""The tiny package in a variant that reads a recognizer's states in place of the sound.

Its graph takes the mean of each state for a sample: see `tiny_package` for what it then shows.
"""

from pathlib import Path

from tests.support.tiny_package import tiny_graph, write_package

SOURCE = {
    "recognizer": "whisper:tiny.en",
    "sha256": "ab" * 32,
    "window_floor_s": 10.0,
    "window_margin_s": 2.0,
}


def states_graph(width: int) -> bytes:
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(tiny_graph())
    graph = model.graph
    others = [value for value in graph.input if not value.name.startswith("waveform")]
    inputs = [
        helper.make_tensor_value_info("states", TensorProto.FLOAT, ["B", "N", width]),
        helper.make_tensor_value_info("states_length", TensorProto.INT64, ["B"]),
    ]
    nodes = [
        helper.make_node("ReduceMean", ["states"], ["waveform"], axes=[2], keepdims=0),
        helper.make_node("Identity", ["states_length"], ["waveform_length"]),
        *graph.node,
    ]
    outputs, constants = list(graph.output), list(graph.initializer)
    made = helper.make_graph(nodes, "tiny", [*inputs, *others], outputs, constants)
    opsets = [helper.make_opsetid("", 17)]
    whole = helper.make_model(made, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(whole)
    return whole.SerializeToString()


def write_states_package(folder: Path, *, width: int = 3, source=None, **changes) -> Path:
    """Write the package; `source` are changes to `SOURCE`."""
    bound = {"kind": "recognizer_states", "width": width, **SOURCE, **(source or {})}
    changes = {"audio_input": bound} | changes
    return write_package(folder, graph=states_graph(width), **changes)
