"""A model package of a few kilobytes whose outputs show what the graph was given.

The graph sums and copies its inputs, so that a test can read off the embeddings what reached it:
`audio_embedding` = mean |waveform|, first sample, last sample, length;
`text_embedding`  = sum of ids where mask is 1, sum of mask, sum of ids, row of the id table;
`logits`          = a fixed mix of those eight and the four confidence values.
"""

import json
from pathlib import Path

import numpy as np

from turbo_stream.detection.package import file_hash

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "turn", "on", "the", "light", "hey", "friday", ","]
MIX = np.array(
    # mean, first, last, length, ids, mask, all ids, table, logprob, no speech, ratio, missing
    [[3, 0.5, 0.5, 1e-6, 0.01, 0.02, 0.0, 0.0, 0.3, -0.7, -0.2, -0.4]],
    np.float32,
)


def tiny_graph(*, classes=2, vocabulary=11, nan=False, extra_input=False, rename=None):
    """Return the ONNX model; `rename` maps names of inputs and outputs of one that does not fit."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    mix = np.concatenate([MIX * sign for sign in np.linspace(1, -1, classes)]).T
    constants = {
        "mix": mix.astype(np.float32) * (np.nan if nan else 1),
        "table": np.ones((vocabulary, 1), np.float32),
        "one": np.array([1], np.int64),
        "zero": np.array([0], np.int64),
        "minus_one": np.array([-1], np.int64),
        "end": np.array([2**62], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Abs", ["waveform"], ["loudness"]),
        node("ReduceMean", ["loudness"], ["mean"], axes=[1], keepdims=1),
        node("Slice", ["waveform", "zero", "one", "one"], ["first"]),
        node("Slice", ["waveform", "minus_one", "end", "one"], ["last"]),
        node("Unsqueeze", ["waveform_length", "one"], ["length_column"]),
        node("Cast", ["length_column"], ["length"], to=TensorProto.FLOAT),
        node("Concat", ["mean", "first", "last", "length"], ["audio_embedding"], axis=1),
        node("Mul", ["token_ids", "token_mask"], ["seen_ids"]),
        node("ReduceSum", ["seen_ids", "one"], ["seen_sum"], keepdims=1),
        node("ReduceSum", ["token_mask", "one"], ["mask_sum"], keepdims=1),
        node("ReduceSum", ["token_ids", "one"], ["id_sum"], keepdims=1),
        node("Concat", ["seen_sum", "mask_sum", "id_sum"], ["sums"], axis=1),
        node("Cast", ["sums"], ["sums_float"], to=TensorProto.FLOAT),
        node("Gather", ["table", "token_ids"], ["rows"]),
        node("ReduceMean", ["rows"], ["row"], axes=[1], keepdims=0),
        node("Concat", ["sums_float", "row"], ["text_embedding"], axis=1),
        node("Concat", ["audio_embedding", "text_embedding", "confidence"], ["all"], axis=1),
        node("MatMul", ["all", "mix"], ["logits"]),
    ]
    inputs = {
        "waveform": (TensorProto.FLOAT, ["B", "T"]),
        "waveform_length": (TensorProto.INT64, ["B"]),
        "token_ids": (TensorProto.INT64, ["B", "L"]),
        "token_mask": (TensorProto.INT64, ["B", "L"]),
        "confidence": (TensorProto.FLOAT, ["B", 4]),
    }
    if extra_input:
        inputs["speaker"] = (TensorProto.FLOAT, ["B"])
    outputs = {"logits": classes, "audio_embedding": 4, "text_embedding": 4}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, *rest) for name, rest in inputs.items()],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["B", size])
            for name, size in outputs.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    for old, new in (rename or {}).items():
        for value in (*graph.input, *graph.output):
            value.name = new if value.name == old else value.name
        for one in graph.node:
            one.input[:] = [new if name == old else name for name in one.input]
            one.output[:] = [new if name == old else name for name in one.output]
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


MARKED_WORDS = [*WORDS, "[NAME]", "what", "?", "."]
"""Of a package whose text tower is told names by a mark."""


def tiny_tokenizer(words=WORDS):
    """Return the text of a `tokenizer.json` in the manner of BERT's."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {word: i for i, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])],
    )
    return tokenizer.to_str()


def manifest(**changes):
    """Return a good `turbo.json` without its hashes; a change to None is kept as null."""
    points = {
        "balanced": {"threshold": 0.5, "false_accept": 0.1, "false_reject": 0.1},
        "strict": {"threshold": 0.9, "false_accept": 0.01, "false_reject": None},
    }
    return {
        "format": 1,
        "name": "tiny",
        "version": "1.0",
        "language": "en",
        "labels": ["not_directed", "directed"],
        "sample_rate": 16000,
        "max_seconds": 15.0,
        "max_tokens": 16,
        "threshold": 0.5,
        "operating_points": points,
        "calibration": {"method": "affine", "scale": 1.5, "bias": [0.1, -0.2]},
        "training": {"sources": []},
        "metrics": {},
    } | changes


def write_package(folder: Path, *, graph=None, tokenizer=None, **changes):
    """Write a package that loads, but for `changes` to its manifest; return `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.int8.onnx").write_bytes(tiny_graph() if graph is None else graph)
    (folder / "tokenizer.json").write_text(tokenizer or tiny_tokenizer())
    (folder / "README.md").write_text("# tiny\n")
    names = ("model.int8.onnx", "tokenizer.json", "README.md")
    values = {"files": {name: file_hash(folder / name) for name in names}} | manifest(**changes)
    (folder / "turbo.json").write_text(json.dumps(values))
    return folder


def write_marked_package(folder: Path, **changes):
    """Write one whose graph reads marks and the turn before; return `folder`."""
    graph = tiny_graph(vocabulary=len(MARKED_WORDS))
    tokenizer = tiny_tokenizer(MARKED_WORDS)
    changes = {"text_input": "marked", "max_tokens": 64, "graph": graph} | changes
    return write_package(folder, **{"tokenizer": tokenizer} | changes)
