"""Puts ONNX Runtime's own attention where the exporter left it in pieces.

PyTorch's exporter writes scaled dot-product attention as some twenty nodes, most of which only
work out shapes and turn the keys around. One `MultiHeadAttention` (ONNX Runtime's
`com.microsoft` domain, in every CPU build of it) does the same with the same weights.
"""

from typing import NamedTuple

import onnx
from onnx import TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft"


class _Heads(NamedTuple):
    """States `[B, N, D]` that were cut into heads and turned."""

    states: str
    heads: int
    width: int
    scale: float
    """Product of the constants they were multiplied by on the way."""


class _Pattern:
    """Finds attention in a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.maker = {name: node for node in graph.node for name in node.output}
        self.users: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self.stored = {item.name: item for item in graph.initializer}

    def before(self, name: str, kind: str) -> onnx.NodeProto | None:
        """Return the node that makes `name` if it is of that `kind`."""
        node = self.maker.get(name)
        return node if node is not None and node.op_type == kind else None

    def after(self, name: str, kind: str) -> onnx.NodeProto | None:
        """Return the only node that uses `name` if it is of that `kind`."""
        users = self.users.get(name, [])
        return users[0] if len(users) == 1 and users[0].op_type == kind else None

    def number(self, name: str) -> float | None:
        """Return the constant `name` if it is one number."""
        value = numpy_helper.to_array(self.stored[name]) if name in self.stored else None
        return float(value.reshape(-1)[0]) if value is not None and value.size == 1 else None

    def heads(self, name: str) -> _Heads | None:
        """Follow `name` `[B, H, N, D / H]` back to the states that were cut into heads."""
        scale, shape = 1.0, ""
        while (node := self.maker.get(name)) is not None:
            if node.op_type == "Mul":
                factor = self.number(node.input[1])
                if factor is None:
                    return None
                scale *= factor
            elif node.op_type == "Reshape":
                shape = node.input[1]
            elif node.op_type != "Transpose":
                break
            name = node.input[0]
        cut = self.before(shape, "Concat")
        sizes = [self.number(size) for size in cut.input] if cut is not None else []
        if len(sizes) != 4 or sizes[2] is None or sizes[3] is None:
            return None
        return _Heads(name, int(sizes[2]), int(sizes[3]), scale)

    def mask(self, bias: str) -> str | None:
        """Return the mask `[B, N]` of which `bias` `[B, 1, 1, N]` is (1 - mask) * a constant."""
        spread = self.before(bias, "Unsqueeze")
        product = self.before(spread.input[0], "Mul") if spread is not None else None
        hidden = self.before(product.input[0], "Sub") if product is not None else None
        if hidden is None or self.number(hidden.input[0]) != 1.0:
            return None
        return hidden.input[1]


def _attention(found: _Pattern, softmax: onnx.NodeProto) -> tuple[onnx.NodeProto, str] | None:
    """Return what replaces the attention around `softmax` and its mask; None if it is another."""
    masked = found.before(softmax.input[0], "Add")
    scores = found.before(masked.input[0], "MatMul") if masked is not None else None
    mixed = found.after(softmax.output[0], "MatMul")
    turned = found.after(mixed.output[0], "Transpose") if mixed is not None else None
    joined = found.after(turned.output[0], "Reshape") if turned is not None else None
    if masked is None or scores is None or mixed is None or joined is None:
        return None
    mask = found.mask(masked.input[1])
    query, key, value = map(found.heads, (*scores.input, mixed.input[1]))
    if mask is None or query is None or key is None or value is None:
        return None
    if query[1:3] != key[1:3] or query[1:3] != value[1:3] or value.scale != 1.0:
        return None
    node = helper.make_node(
        "MultiHeadAttention",
        [query.states, key.states, value.states, "", f"{mask}_counts"],
        list(joined.output),
        name=f"{softmax.name}_attention",
        domain=DOMAIN,
        num_heads=query.heads,
        scale=query.scale * key.scale,
    )
    return node, mask


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Remove the nodes and constants whose results nobody takes any more."""
    wanted = {item.name for item in graph.output}
    for node in reversed(list(graph.node)):
        if wanted.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            wanted.update(node.input)
    for item in [item for item in graph.initializer if item.name not in wanted]:
        graph.initializer.remove(item)


def fuse_attention(model: onnx.ModelProto) -> int:
    """Replace every attention of `model` that hides keys by a mask alone; return how many.

    Attention of another form (chunked, of an encoder with its own mask) stays as it is.
    """
    graph = model.graph
    pattern = _Pattern(graph)
    replaced: dict[str, onnx.NodeProto] = {}
    masks = set()
    for softmax in [node for node in graph.node if node.op_type == "Softmax"]:
        found = _attention(pattern, softmax)
        if found is not None:
            replaced[found[0].output[0]], mask = found
            masks.add(mask)
    if not replaced:
        return 0
    nodes = []
    for node in graph.node:
        nodes.append(replaced.get(node.output[0], node))
        for mask in masks.intersection(node.output):
            nodes.append(helper.make_node("Cast", [mask], [f"{mask}_counts"], to=TensorProto.INT32))
    del graph.node[:]
    graph.node.extend(nodes)
    _drop_unused(graph)
    if all(item.domain != DOMAIN for item in model.opset_import):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))
    return len(replaced)
