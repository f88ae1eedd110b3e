"""Size, load time, memory and speed of all that could run in the product's place."""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from models.turbo import Turbo
from tools.export.parity.footprint import (
    GRAPH,
    PYTORCH,
    SMART_TURN,
    System,
    footprint,
    latencies_ms,
    length_key,
)
from tools.export.parity.item import Item, feed, open_graph
from tools.export.parity.smart_turn import NAME, open_smart_turn, smart_turn_graph
from training.fitting.checkpoint import WEIGHTS
from turbo_stream._util.onnx_session import int8_saturates

_PYTORCH = "PyTorch"


def _network(model: Turbo) -> System:
    def judge(item: Item) -> object:
        with torch.inference_mode():
            return model(*map(torch.from_numpy, feed(item).values()))

    return judge


def measure_systems(
    model: Turbo, folder: Path, graphs: Mapping[str, Path], chosen: str, *, rounds: int = 20
) -> dict[str, Any]:
    """Return what each system costs on one thread, and how that compares to the `chosen` graph.

    Systems are `graphs`, the PyTorch network of the run in `folder`, and smart-turn where it is
    installed (`skipped` says so if not). Each has `bytes` on disk, `load_s` and `ready_s`,
    `added_bytes` and `peak_added_bytes` (see `footprint.measure_here`), `latency_ms` (see
    `speed.latencies_ms`) and `times_chosen`: the same figures over those of the chosen graph.
    """
    places = {name: (GRAPH, path) for name, path in graphs.items()}
    places[_PYTORCH] = (PYTORCH, folder)
    sizes = {name: path.stat().st_size for name, path in graphs.items()}
    sizes[_PYTORCH] = (folder / WEIGHTS).stat().st_size
    public = smart_turn_graph()
    if public is not None:
        places[NAME] = (SMART_TURN, public)
        sizes[NAME] = public.stat().st_size

    found: dict[str, dict[str, Any]] = {
        name: {"bytes": sizes[name], **footprint(*place)} for name, place in places.items()
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    systems = {name: open_graph(path) for name, path in graphs.items()}
    systems[_PYTORCH] = _network(model)
    if public is not None:
        systems[NAME] = open_smart_turn(public)
    for name, latency in latencies_ms(systems, rounds=rounds).items():
        found[name]["latency_ms"] = latency
    torch.set_num_threads(threads)
    for figures in found.values():
        figures["times_chosen"] = _times(figures, found[chosen])
    return {
        "machine": {
            "processor": _processor(),
            "platform": platform.platform(terse=True),
            "int8_saturates": int8_saturates(),
            "threads": 1,
        },
        "systems": found,
        "skipped": [] if public is not None else [f"{NAME}: pipecat-ai is not installed"],
    }


def _times(figures: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, float]:
    plain = ("bytes", "load_s", "ready_s", "added_bytes", "peak_added_bytes")
    times = {key: figures[key] / base[key] for key in plain if base[key] > 0}
    return times | {
        f"latency_{length}": figures["latency_ms"][length]["p50"]
        / base["latency_ms"][length]["p50"]
        for length in base["latency_ms"]
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def targets(parity: Mapping[str, Any], systems: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the package was meant to keep to: `what`, `limit`, `value`, `unit` and `met`.

    `met` is None where the value is not known.
    """
    own = systems["systems"][parity["quantization"]["chosen"]]
    length = length_key(3)
    listed = [
        ("PyTorch to fp32 ONNX, largest logit difference",
         1e-4, parity["pytorch_fp32_max_logit_difference"], ""),
        ("fp32 to INT8, equal error rate lost", 0.2, _points(parity["eer_difference"]), "points"),
        ("graph on disk", 20.0, own["bytes"] / 1e6, "MB"),
        ("an utterance of 3 s, one thread, p50", 10.0, own["latency_ms"][length]["p50"], "ms"),
        ("the same, of the processor's time alone", 10.0, own["latency_ms"][length]["cpu_p50"],
         "ms"),
        ("loading", 0.3, own["load_s"], "s"),
        ("memory added", 80.0, own["added_bytes"] / 1e6, "MB"),
    ]  # fmt: skip
    return [
        {
            "what": what,
            "limit": limit,
            "value": value,
            "unit": unit,
            "met": None if value is None else value <= limit,
        }
        for what, limit, value, unit in listed
    ]


def _points(fraction: float | None) -> float | None:
    return None if fraction is None else 100.0 * fraction
