"""What Turbo's training step costs beside plainer ones, on this machine.

python -m tools.measurements.training_step [--device auto] [--shapes compact,shipped] [--json]
"""

import json
import statistics
import sys
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from turbo_stream.cli.command import run_command

SHAPES = ("compact", "shipped", "hubert-bert")
_CHUNK = 256


def run(
    names: tuple[str, ...],
    device_name: str,
    rows: int | None,
    rounds: int | None,
    bf16: bool | None,
) -> dict[str, Any]:
    """Return all figures; progress goes to stderr."""
    import torch

    from tools.measurements.training_step import measure, shapes
    from tools.measurements.training_step.steps import STEPS, make_steps
    from training.fitting.distributed import pick_device
    from training.fitting.environment import describe

    device = pick_device(device_name)
    gpu = device.type == "cuda"
    low = gpu if bf16 is None else bf16
    dtype = torch.bfloat16 if low else torch.float32
    rounds = rounds or (7 if gpu else 3)
    console = Console(stderr=True)
    rate = measure.matrix_rate(device, dtype)
    found = []
    for name in names:
        shape = shapes.with_rows((shapes.ON_GPU if gpu else shapes.ON_CPU)[name], rows)
        with console.status(f"{name}: {shape.rows} rows of {shape.seconds:g} s"):
            model, material = shapes.make(shape, device)
            steps, passes = make_steps(model, material, bf16=low)
            flops = {step: measure.matrix_flops(passes[step]) for step in STEPS}
            times = measure.interleaved(steps, device, rounds)
        found.append(
            {
                "shape": name,
                "note": shape.note,
                "rows": shape.rows,
                "seconds_of_sound": shape.seconds,
                "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
                "steps": {
                    step: {
                        "ms": 1e3 * (median := statistics.median(times[step])),
                        "utterances_per_s": shape.rows / median,
                        "tflops": flops[step] / 1e12,
                        "tflops_per_s": flops[step] / median / 1e12,
                        "share_of_matrix_rate": flops[step] / median / rate,
                    }
                    for step in STEPS
                },
                "ratios": {
                    f"{a}/{b}": measure.ratio(times, a, b)
                    for a, b in (
                        ("turbo", "ce"),
                        ("turbo_waves", "ce_waves"),
                        ("naive", "turbo_waves"),
                        ("naive", "turbo"),
                    )
                },
            }
        )
        del model, material, steps, passes
    sizes = (512, 1024, 2048, 4096, 8192) if gpu else (128, 256, 512, 1024)
    return {
        "device": torch.cuda.get_device_name(device) if gpu else "CPU, in small shapes",
        "dtype": str(dtype).removeprefix("torch."),
        "matrix_tflops_per_s": rate / 1e12,
        "rounds": rounds,
        "explanation": STEPS,
        "shapes": found,
        "loss_memory": {
            "what": "peak of the device" if gpu else "saved by the graph; the CPU counts no peak",
            "chunk": _CHUNK if gpu else _CHUNK // 4,
            "batches": measure.loss_memory(sizes, _CHUNK if gpu else _CHUNK // 4, device),
        },
        "environment": describe(),
    }


def show(found: dict[str, Any]) -> None:
    """Print the figures as tables."""
    console = Console()
    console.print(
        f"{found['device']}, {found['dtype']}: matrix products at "
        f"{found['matrix_tflops_per_s']:.2f} TFLOP/s; medians of {found['rounds']} rounds",
        soft_wrap=True,
    )
    for shape in found["shapes"]:
        note = f", {shape['note']}" if shape["note"] else ""
        title = f"{shape['shape']}{note}: {shape['rows']} rows of {shape['seconds_of_sound']:g} s"
        table = Table("step", "ms", "utterances/s", "TFLOP/s", "of matrix rate", title=title)
        for name, step in shape["steps"].items():
            table.add_row(
                name,
                f"{step['ms']:.1f}",
                f"{step['utterances_per_s']:.1f}",
                f"{step['tflops_per_s']:.3f}",
                f"{step['share_of_matrix_rate']:.0%}",
            )
        console.print(table)
        ratios = ", ".join(f"{pair} {value:.2f}" for pair, value in shape["ratios"].items())
        console.print(f"medians of paired ratios: {ratios}", soft_wrap=True)
    memory = found["loss_memory"]
    title = f"contrastive terms: MiB {memory['what']}"
    table = Table("rows", "whole", f"chunks of {memory['chunk']}", title=title)
    for line in memory["batches"]:
        table.add_row(*(f"{line[name]:.4g}" for name in ("rows", "whole_mib", "chunked_mib")))
    console.print(table)
    for name, meaning in found["explanation"].items():
        console.print(f"{name}: {meaning}")


@click.command("tools.measurements.training_step")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:N.")
@click.option(
    "--shapes", "names", default=",".join(SHAPES), show_default=True, help="Comma-separated."
)
@click.option("--rows", type=click.IntRange(min=2), help="Rows of a batch, instead of the shape's.")
@click.option("--rounds", type=click.IntRange(min=1), help="Default: 7 on a GPU, 3 on a CPU.")
@click.option("--bf16/--fp32", default=None, help="Default: bf16 on a GPU, fp32 on a CPU.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    device: str,
    names: str,
    rows: int | None,
    rounds: int | None,
    bf16: bool | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Time a Turbo step against a plain one and a naive one; weigh the loss."""
    chosen = tuple(name for name in names.split(",") if name)
    if unknown := sorted(set(chosen) - set(SHAPES)):
        raise click.BadParameter(f"--shapes {unknown[0]}: unknown; allowed: {', '.join(SHAPES)}")
    if threads:
        import torch

        torch.set_num_threads(threads)
    found = run(chosen, device, rows, rounds, bf16)
    if as_json:
        json.dump(found, sys.stdout, indent=2)
        print()
    else:
        show(found)


if __name__ == "__main__":
    sys.exit(run_command(main))
