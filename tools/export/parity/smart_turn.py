"""smart-turn, a public end-of-turn model, as a system to compare with.

Apart from the other systems: what it costs is measured in a process that must not hold torch.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tools.export.parity.item import Item

NAME = "smart-turn v3.2"

_WINDOW_SAMPLES = 8 * 16_000


def smart_turn_graph() -> Path | None:
    """Return the INT8 graph in the installed `pipecat-ai`, None where it is not installed."""
    from models.pretrained import smart_turn_file  # brings torch, which must not be in footprints

    try:
        graph = smart_turn_file()
    except FileNotFoundError:
        return None
    return graph if graph.exists() and _features_of(graph).exists() else None


def _features_of(graph: Path) -> Path:
    """Return the feature code that stands beside the graph's folder."""
    return graph.parent.parent / "_whisper_features.py"


def open_smart_turn(graph: Path) -> Callable[[Item], object]:
    """Return what judges an utterance: the last 8 s, padded in front, log-mel, graph.

    Session options are those of its package, with one thread.
    """
    import onnxruntime

    code = _features_of(graph)
    spec = importlib.util.spec_from_file_location("smart_turn_features", code)
    if spec is None or spec.loader is None:
        raise ImportError(f"{code} cannot be imported")
    features = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(features)
    options = onnxruntime.SessionOptions()
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def judge(item: Item) -> object:
        wave = item.sound[-_WINDOW_SAMPLES:]
        wave = np.pad(wave, (_WINDOW_SAMPLES - len(wave), 0))
        mel = features.compute_whisper_log_mel_features(wave, do_normalize=True)
        return session.run(None, {"input_features": mel[None]})

    return judge
