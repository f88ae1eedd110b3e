"""`turbo-eval`'s folder: metrics, plots and a report that is one file and needs no network."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from turbo_stream._util.files import write_bytes, write_json, write_text
from turbo_stream.evaluation.corpus.rows import METRICS_NAME, Row
from turbo_stream.evaluation.figures._summary import Scored, summarize
from turbo_stream.evaluation.report._mistakes import Mistake, ReadAudio, with_sound, worst_mistakes
from turbo_stream.evaluation.report._report_plots import Plot, report_plots
from turbo_stream.evaluation.report.page import (
    count,
    number,
    percent,
    percent_range,
    png_uri,
    render_page,
)

REPORT_NAME = "report.html"
MISTAKES_SHOWN = 12
_FAILED_SHOWN = 100
_UNITS = {"duration": "length, s", "snr": "SNR, dB", "snr_db": "SNR, dB", "hour": "hour of day"}
"""How columns of known meaning are called."""


def write_results(
    out: Path,
    rows: Sequence[Row],
    run: Mapping[str, Any],
    *,
    failed: Iterable[Mapping[str, Any]] = (),
    conditions: Mapping[str, Sequence[Row]] | None = None,
    learning: Mapping[str, Any] | None = None,
    read_audio: ReadAudio | None = None,
) -> dict[str, Any]:
    """Write plots, `report.html` and, last, `metrics.json` into `out`; return the metrics.

    Arguments are those of `summarize`; `learning` are the figures of `learning_figures`;
    `read_audio` gives the players their sound, of the clip
    or of `start_s` to `end_s` in a long recording.

    Raises:
        InputError: a row is malformed, or `out` cannot be written.
    """
    failed = list(failed)
    metrics = {
        **summarize(rows, run, failed=failed, conditions=conditions),
        **(learning or {}),
    }
    scored = Scored.from_rows(rows, run, failed)
    plots = report_plots(scored.items, metrics, run)
    for plot in plots:
        write_bytes(out / plot.name, plot.png)
    every = worst_mistakes(scored.items, run.get("threshold"), len(scored.items))
    worst = worst_mistakes(scored.items, run.get("threshold"), MISTAKES_SHOWN)
    page = report_page(metrics, plots, with_sound(worst, read_audio), wrong=len(every))
    write_text(out / REPORT_NAME, page)
    write_json(out / METRICS_NAME, metrics)
    return metrics


def report_page(
    metrics: Mapping[str, Any], plots: Sequence[Plot], mistakes: Sequence[Mistake], *, wrong: int
) -> str:
    """Return the HTML of a report; `wrong` is the number of all mistakes."""
    run = metrics["run"]
    optional = dict.fromkeys(
        ("stream", "thresholds", "fixed_rates", "multiclass", "conditions", "learn")
    )
    slices = {"source": list(metrics["per_source"].items())} if metrics["per_source"] else {}
    for column, lines in metrics["slices"].items():
        slices[_UNITS.get(column, column)] = [(line["value"], line) for line in lines]
    return render_page(
        "report.html",
        title=f"Evaluation of {run.get('model') or 'a model'}",
        subtitle=_subtitle(metrics),
        metrics={**optional, **metrics},
        threshold=run.get("threshold"),
        tiles=headline(metrics),
        left_out=_left_out(metrics),
        plots=[{"uri": png_uri(p.png), "alt": p.alt, "caption": p.caption} for p in plots],
        fixed_rates=_fixed_rates(metrics),
        slices=list(slices.items()),
        conditions=[(line["condition"], line) for line in metrics.get("conditions") or ()],
        learning=_learning(metrics),
        mistakes=[_shown(mistake) for mistake in mistakes],
        wrong=wrong,
        shown_failed=_FAILED_SHOWN,
        run=[(name, _setting(value)) for name, value in run.items()],
    )


def headline(metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the figures to show first: `name`, `value`, `note` (interval or remark)."""
    ranges = metrics["intervals"]

    def rate(name: str, value: float | None, key: str) -> dict[str, str]:
        ends = ranges.get(key)
        return _tile(name, percent(value), f"[{percent_range(ends)}]" if ends else "")

    tiles = []
    if classes := metrics.get("multiclass"):
        tiles = [
            rate("Weighted accuracy (WA)", classes["wa"], "wa"),
            rate("Unweighted accuracy (UA)", classes["ua"], "ua"),
            _tile("Macro F1", percent(classes["macro_f1"])),
        ]
    if "thresholds" in metrics:
        at = metrics["at_threshold"]
        limited = metrics["false_accept_at_false_reject"]["0.05"]
        tiles += [
            rate("Equal error rate", metrics["eer"], "eer"),
            rate("False accepts", at["false_accept"], "false_accept"),
            rate("False rejects", at["false_reject"], "false_reject"),
            rate(
                "False accepts at 5 % false rejects", limited, "false_accept_at_false_reject_0.05"
            ),
            rate("Accuracy", metrics["accuracy"], "accuracy"),
            _tile("AUC", number(metrics["auc"], 4), _plain_range(ranges.get("auc"))),
            _tile("Calibration error", number(metrics["ece"], 4), _plain_range(ranges.get("ece"))),
        ]
    if stream := metrics.get("stream"):
        found = f"{count(stream['found'])} of {count(stream['spans'])}"
        per_hour = number(stream["false_accepts_per_hour"], 2)
        tiles += [_tile("Spans found", found), _tile("False accepts per hour", per_hour)]
    if words := metrics["word_errors"]:
        tiles.append(rate("Word error rate", words["wer"], "wer"))
    latency = metrics["latency_ms"]
    for part, name in (("turbo", "Turbo, median"), ("asr", "Recognizer, median")):
        if latency[part]["p50"]:  # without a recognizer it took no time
            p95 = f"95th percentile {latency[part]['p95']:.1f} ms"
            tiles.append(_tile(name, f"{latency[part]['p50']:.1f} ms", p95))
    if metrics["real_time_factor"]:
        factor = metrics["real_time_factor"]
        tiles.append(
            _tile("Real-time factor", f"{factor:.4f}", f"{1 / factor:.0f} times real time")
        )
    return tiles


def _tile(name: str, value: str, note: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "note": note}


def _plain_range(ends: Sequence[float] | None) -> str:
    return f"[{ends[0]:.4f} – {ends[1]:.4f}]" if ends else ""


def _subtitle(metrics: Mapping[str, Any]) -> str:
    directed = "" if "thresholds" not in metrics else f", {count(metrics['n_directed'])} directed"
    what = "decided utterances" if metrics.get("stream") else "scored items"
    asr = metrics["run"].get("asr")
    return f"{count(metrics['n'])} {what}{directed}" + (
        "" if asr in (None, "none") else f"; text from {asr}"
    )


def _left_out(metrics: Mapping[str, Any]) -> str:
    """Say what the figures do not count."""
    reasons = {"n_failed": "could not be read or scored", "n_unlabelled": "without a label"}
    said = [f"{why}: {count(metrics[key])}" for key, why in reasons.items() if metrics[key]]
    return f"Items that no figure counts: {', '.join(said)}." if said else ""


def _fixed_rates(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines = []
    for line in metrics.get("fixed_rates") or ():
        held, other = line["fixed"], {"false_reject", "false_accept"} - {line["fixed"]}
        key = f"{other.pop()}_at_{held}_{line['limit']}"
        name = f"{held.replace('_', ' ')}s ≤ {float(line['limit']):.0%}"
        lines.append({**line, "held": name, "interval": metrics["intervals"].get(key)})
    return lines


def _learning(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a line for each number of examples: all sources mixed, then each by itself."""
    curves = {"all": metrics.get("learn") or {}, **(metrics.get("learn_per_source") or {})}
    return [
        {**line, "source": source, "count": count_of, "shipped": curve["0"]["eer"]}
        for source, curve in curves.items()
        for count_of, line in curve.items()
    ]


def _shown(mistake: Mistake) -> dict[str, Any]:
    item = mistake.item
    name = PurePath(str(item.get("audio_filepath"))).name
    where = name
    if item.get("start_s") is not None:
        where = f"{name}, {item['start_s']:.2f} to {item['end_s']:.2f} s"
    elif item.get("offset"):
        where = f"{name}, from {item['offset']:.2f} s"
    asr = item.get("asr") if isinstance(item.get("asr"), Mapping) else {}
    logprob = (asr or {}).get("avg_logprob")
    others = item.get("probabilities") or {}
    facts = [
        ("Item", where),
        ("Label", item["label"]),
        ("Said", item.get("text")),
        ("Heard", "(nothing)" if item.get("text_used") == "" else item.get("text_used")),
        ("Recognizer", None if logprob is None else f"mean log-probability {logprob:.2f}"),
        ("Scores", ", ".join(f"{key} {value:.3f}" for key, value in others.items()) or None),
        *((key.capitalize(), item.get(key)) for key in ("source", "speaker", "device_name")),
    ]
    return {
        "kind": mistake.kind,
        "name": name,
        "score": item.get("directed_probability"),
        "sound": mistake.sound,
        "no_sound": mistake.no_sound,
        "facts": [(fact.replace("_", " "), value) for fact, value in facts if value is not None],
    }


def _setting(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
