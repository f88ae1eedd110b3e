"""The parity report as one page that needs nothing but itself."""

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from tools.export.parity.compare import FLOAT
from tools.export.parity.plots import latency_plot, scatter_plot
from turbo_stream._util.files import write_bytes, write_json, write_text
from turbo_stream.evaluation.report import page as shared

REPORT, PAGE = "parity.json", "parity.html"

_CSS = Path(shared.__file__).parent / "templates" / "page.css"


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{html.escape(row[0])}</th>'
        + "".join(f"<td>{html.escape(value)}</td>" for value in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{html.escape(caption)}">'
        f"<table><caption>{html.escape(caption)}</caption><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _picture(png: bytes, alt: str) -> str:
    return (
        f'<figure><img src="{shared.png_uri(png)}" alt="{html.escape(alt)}">'
        f"<figcaption>{html.escape(alt)}</figcaption></figure>"
    )


def _number(value: float | None, digits: int) -> str:
    return shared.number(value, digits)


def _points(value: float | None) -> str:
    return shared.UNDEFINED if value is None else f"{100 * value:+.2f}"


def _interval(ends: Sequence[float] | None) -> str:
    if ends is None:
        return shared.UNDEFINED
    return f"{100 * ends[0]:+.2f} to {100 * ends[1]:+.2f}"


def _targets(targets: Sequence[Mapping[str, Any]]) -> str:
    words = {True: "yes", False: "no", None: "not known"}
    rows = []
    for item in targets:
        value = "–" if item["value"] is None else f"{item['value']:.3g} {item['unit']}".strip()
        limit = f"{item['limit']:g} {item['unit']}".strip()
        rows.append([item["what"], value, limit, words[item["met"]]])
    return _table("Targets", ["", "found", "at most", "met"], rows)


def _quantizations(quantization: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{name} (taken)" if name == quantization["chosen"] else name,
            shared.percent(found["fp32_eer"]),
            shared.percent(found["eer"]),
            _points(found["eer_difference"]),
            _interval(found["eer_difference_ci95"]),
            shared.percent(found["decisions_flipped"]),
            f"{found['mean_probability_shift']:.4f}",
            f"{found['max_probability_shift']:.3f}",
            f"{found['max_logit_difference']:.2f}",
        ]
        for name, found in quantization["candidates"].items()
    ]
    head = ["INT8", "EER, fp32", "EER, INT8", "difference, points", "95 %", "flipped"]
    head += ["mean shift", "largest shift", "largest logit difference"]
    return _table("Each against the float graph, on the same items", head, rows)


def _systems(systems: Mapping[str, Mapping[str, Any]]) -> str:
    def cell(value: float, times: float | None, digits: int) -> str:
        ratio = "" if times is None else f" ({times:.2f}×)"
        return f"{value:.{digits}f}{ratio}"

    lengths = list(next(iter(systems.values()))["latency_ms"])
    rows = []
    for name, found in systems.items():
        times = found["times_chosen"]
        row = [name, cell(found["bytes"] / 1e6, times.get("bytes"), 1)]
        row += [cell(found[key], times.get(key), 3) for key in ("load_s", "ready_s")]
        row += [
            cell(found[key] / 1e6, times.get(key), 0) for key in ("added_bytes", "peak_added_bytes")
        ]
        for length in lengths:
            latency = found["latency_ms"][length]
            row.append(
                f"{latency['p50']:.1f} / {latency['p95']:.1f} / {latency['cpu_p50']:.1f} "
                f"({times[f'latency_{length}']:.2f}×)"
            )
        rows.append(row)
    head = ["", "MB on disk", "load, s", "first answer, s", "MB added", "MB added, most"]
    head += [f"{length[:-1]} s: p50 / p95 / processor, ms" for length in lengths]
    caption = "One thread, in turn, on one machine; processor: p50 of its time alone; "
    caption += "in brackets: times the taken graph"
    return _table(caption, head, rows)


def write_report(
    folder: Path,
    name: str,
    report: Mapping[str, Any],
    probabilities: Mapping[str, NDArray],
    directed: int | None,
) -> None:
    """Write `parity.json`, `parity.html` and the page's pictures into `folder`.

    `report` has what `compare` and `measure_systems` found, and `targets`; `probabilities` `[N, K]`
    are those of every graph. Plots show the class `directed`, or the last one.

    Raises:
        InputError: the folder cannot be written.
    """
    quantization, threshold = report["quantization"], report["threshold"]
    shown = -1 if directed is None else directed
    pictures: dict[str, tuple[bytes, str]] = {}
    for graph in quantization["candidates"]:
        png = scatter_plot(
            probabilities[FLOAT][:, shown], probabilities[graph][:, shown], threshold, graph
        )
        alt = f"Probability of every item, INT8 {graph} over fp32; shaded: decided differently"
        pictures[f"scores_{graph}.png"] = (png, alt)
    pictures["latency.png"] = (
        latency_plot(report["systems"], 10.0),
        "Latency on one thread: p50, and p95 as whiskers",
    )
    machine = report["machine"]
    saturates = "clips" if machine["int8_saturates"] else "does not clip"
    what = f"{report['items']:,} items ({report['on']}), one at a time."
    if report["on"] == "recordings":
        what += (
            f" Activation ranges of static INT8 come from {report['calibration_items']} other ones."
        )
    skipped = "".join(f"<p>Not measured: {html.escape(line)}.</p>" for line in report["skipped"])
    title = f"{html.escape(name)}: parity and cost"
    body = f"""<header><h1>{title}</h1><p class="dim">{html.escape(what)}</p></header>
<main>
<section><h2>Targets</h2>{_targets(report["targets"])}</section>
<section><h2>Accuracy</h2>
<p>PyTorch to fp32 ONNX: largest logit difference
{report["pytorch_fp32_max_logit_difference"]:.1e} on {report["pytorch_fp32_items"]} items. Taken:
<strong>{html.escape(quantization["chosen"])}</strong>, {html.escape(quantization["why"])}.</p>
{_quantizations(quantization)}
<p class="dim">EER: equal error rate; the interval is a paired bootstrap by speaker. Flipped: share
of decisions at the threshold {_number(threshold, 3)} that INT8 takes otherwise.</p>
<div class="plots">{
        "".join(_picture(*pictures[key]) for key in pictures if key != "latency.png")
    }</div></section>
<section><h2>Cost</h2>{_systems(report["systems"])}{skipped}
<p class="dim">{html.escape(machine["processor"])}, {html.escape(machine["platform"])}. Load and
memory: medians of three fresh processes each, libraries imported before. On this CPU ONNX Runtime
{saturates} INT8 products (see docs/lab/int8.md).</p>
<div class="plots">{_picture(*pictures["latency.png"])}</div></section>
</main>"""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_CSS.read_text('utf-8')}</style></head>"
        f"<body>{body}</body></html>\n"
    )
    for file, (png, _) in pictures.items():
        write_bytes(folder / file, png)
    write_json(folder / REPORT, dict(report))
    write_text(folder / PAGE, page)
