"""A folder that looks like Kokoro's, whose graph hums for as long as the phonemes are many."""

import json
import string
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tools.corpus.kokoro_voices import KOKORO_VOICES

_PHONEME_SAMPLES = 1500.0


class _SpellingAsSound:
    def __init__(self, british: bool = False) -> None:
        self.british = british

    def __call__(self, text: str) -> str:
        return text


def fake_kokoro(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fill `folder`, and let letters be phonemes; the hum of a voice has a height of its own."""
    onnx = pytest.importorskip("onnx", reason="the fake voice is a graph")
    g2p = ModuleType("hibari.g2p")
    g2p.G2P = _SpellingAsSound  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hibari", ModuleType("hibari"))
    monkeypatch.setitem(sys.modules, "hibari.g2p", g2p)
    (folder / "voices").mkdir(parents=True)
    vocabulary = {letter: at for at, letter in enumerate(string.ascii_lowercase + " ,.?!", 1)}
    (folder / "vocab.json").write_text(json.dumps({"vocab": vocabulary}))
    names = sorted({voice.engine_voice for voice in KOKORO_VOICES})
    for at, name in enumerate(names):
        table = np.full((300, 256), 0.02 + 0.001 * at, "<f4")
        table.tofile(folder / "voices" / f"{name}.bin")
    onnx.save(_graph(onnx), folder / "kokoro.onnx")
    return folder


def _graph(onnx):  # noqa: ANN001, ANN202
    helper, kinds = onnx.helper, onnx.TensorProto
    constants = [
        helper.make_tensor("size", kinds.FLOAT, [], [_PHONEME_SAMPLES]),
        helper.make_tensor("zero", kinds.FLOAT, [], [0.0]),
        helper.make_tensor("one", kinds.FLOAT, [], [1.0]),
    ]
    nodes = [
        helper.make_node("Size", ["tokens"], ["count"]),
        helper.make_node("Cast", ["count"], ["phonemes"], to=kinds.FLOAT),
        helper.make_node("Mul", ["phonemes", "size"], ["samples"]),
        helper.make_node("ReduceMean", ["speed"], ["pace"], keepdims=0),
        helper.make_node("Div", ["samples", "pace"], ["length"]),
        helper.make_node("Range", ["zero", "length", "one"], ["time"]),
        helper.make_node("ReduceMean", ["style"], ["height"], keepdims=0),
        helper.make_node("Mul", ["time", "height"], ["phase"]),
        helper.make_node("Sin", ["phase"], ["audio"]),
    ]
    inputs = [
        helper.make_tensor_value_info("tokens", kinds.INT64, [1, None]),
        helper.make_tensor_value_info("style", kinds.FLOAT, [1, 256]),
        helper.make_tensor_value_info("speed", kinds.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info("audio", kinds.FLOAT, [None])]
    graph = helper.make_graph(nodes, "hum", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
