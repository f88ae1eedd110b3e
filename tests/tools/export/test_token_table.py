"""The token table in four bits: what it loses, and that the graph reads what was stored."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto, helper, numpy_helper

from tools.export import token_table
from tools.export.token_table import PACKED, pack_rows, quantize_token_table, unpack_rows


def drawn(rows, width, seed=0):
    """Return vectors of very different lengths, as those of rare and of frequent words are."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(rows, width)) * rng.uniform(0.001, 3, (rows, 1))).astype(np.float32)


@pytest.mark.parametrize("width", [384, 64, 16, 2])
def test_every_row_keeps_its_direction(width):
    table = drawn(200, width)
    found = unpack_rows(*pack_rows(table))
    cosine = (found * table).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(table, axis=1)
    assert cosine.min() > 0.98


def test_a_number_takes_half_a_byte():
    packed, scales = pack_rows(drawn(100, 384))
    assert packed.nbytes == 100 * 192 and scales.nbytes == 100 * 6 * 2


@given(arrays(np.float32, (3, 64), elements=st.floats(-100, 100, width=32)))
def test_what_was_rounded_is_not_rounded_again(table):
    once = unpack_rows(*pack_rows(table))
    assert np.array_equal(unpack_rows(*pack_rows(once)), once)


def test_nothing_is_far_from_what_it_was():
    table = drawn(50, 384, seed=1)
    error = np.abs(unpack_rows(*pack_rows(table)) - table)
    longest = np.abs(table.reshape(50, 6, 64)).max(axis=2).repeat(64, axis=1)
    assert (error <= 0.42 * longest).all() and error.mean() < 0.06 * longest.mean()


def test_a_table_of_many_blocks_is_packed_as_one_of_few(monkeypatch):
    table = drawn(30, 64)
    whole = pack_rows(table)
    monkeypatch.setattr(token_table, "_BLOCK", 7)
    for part, expected in zip(pack_rows(table), whole, strict=True):
        assert np.array_equal(part, expected)


@pytest.mark.parametrize(("width", "batch"), [(64, "B"), (384, "B"), (384, 1), (96, 1), (33, "B")])
def test_the_graph_reads_what_was_stored(width, batch, tmp_path):
    table, places = drawn(40, width), drawn(9, width, seed=2)
    nodes = [
        helper.make_node("Gather", ["words", "ids"], ["found"]),
        helper.make_node("Gather", ["places", "ids"], ["other"]),
        helper.make_node("Add", ["found", "other"], ["sum"]),
    ]
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [batch, "L"])
    out = helper.make_tensor_value_info("sum", TensorProto.FLOAT, [batch, "L", width])
    stored = [
        numpy_helper.from_array(table, "words"),
        numpy_helper.from_array(places, "places"),
    ]
    graph = helper.make_graph(nodes, "one", [ids], [out], stored)
    path = tmp_path / "graph.onnx"
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    quantize_token_table(path)
    names = {item.name for item in onnx.load(path).graph.initializer}
    assert "places" in names and (f"words{PACKED}" in names) is (width % 2 == 0)
    rows = np.array([[0, 3, 8], [7, 7, 1]], np.int64)[: 1 if batch == 1 else 2]
    found = onnxruntime.InferenceSession(str(path)).run(None, {"ids": rows})[0]
    kept = table if width % 2 else unpack_rows(*pack_rows(table))
    assert np.abs(found - (kept[rows] + places[rows])).max() < 1e-5
