import json
import re

import numpy as np
import pytest

from tests.support.browser import needs_browser, open_browser
from tests.support.made_rows import RUN, many_rows, recording, row
from turbo_stream.errors import InputError
from turbo_stream.evaluation.report import _mistakes as mistakes
from turbo_stream.evaluation.report._mistakes import with_sound, worst_mistakes
from turbo_stream.evaluation.report.report import write_results

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
pytest.importorskip("jiwer")

EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


def tone(item):
    """Return one second of sound, whatever the item."""
    return (8000 * np.sin(np.arange(16_000) * 0.2)).astype(np.int16)


def corpus():
    """Rows with everything a report can show, and a manifest that tries to inject HTML."""
    rows = many_rows(300)
    for i, one in enumerate(rows):
        one.update(text=EVIL, source=EVIL if i % 2 else "car", speaker=f"{EVIL}{i % 9}")
    return [*rows, row(0.1, "directed", audio_filepath="gone.wav", error=f"cannot be read {EVIL}")]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report and its metrics."""
    out = tmp_path_factory.mktemp("report") / "deep" / "out"
    conditions = {"clean": many_rows(60), EVIL: many_rows(60, seed=1)}
    metrics = write_results(
        out, corpus(), {**RUN, "names": [EVIL]}, conditions=conditions, read_audio=tone
    )
    return out, metrics


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with open_browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


def test_writes_the_named_files_and_nothing_else(written):
    out, metrics = written
    names = {"metrics.json", "report.html", "det.png", "reliability.png", "scores.png"}
    assert {path.name for path in out.iterdir()} == names
    assert json.loads((out / "metrics.json").read_text("utf-8")) == metrics
    for name in ("det.png", "reliability.png", "scores.png"):
        assert (out / name).read_bytes().startswith(b"\x89PNG")


def test_the_page_fetches_nothing(written):
    page = (written[0] / "report.html").read_text("utf-8")
    targets = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(targets) > 10
    assert all(target.startswith(("data:", "#")) for target in targets)
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_manifests_cannot_inject_html(written):
    page = (written[0] / "report.html").read_text("utf-8")
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;document.title" in page


@needs_browser
def test_renders_in_a_browser(written, browser):
    out, metrics = written
    browser.open(out / "report.html")
    assert browser.console() == []
    assert browser.run("return document.title") == "Evaluation of turbo-test"
    text = browser.run("return document.body.innerText")
    low, high = metrics["eer_ci95"]
    assert f"{metrics['eer']:.2%}".replace("%", " %") in text
    assert f"[{low * 100:.2f} – {high * 100:.2f} %]" in text
    assert "gone.wav" in text
    pictures = browser.run("return [...document.images].map(i => [i.naturalWidth, i.alt])")
    assert len(pictures) == 3
    assert all(width > 500 and alt for width, alt in pictures)
    fetched = browser.run("return performance.getEntriesByType('resource').map(e => e.name)")
    assert all(name.startswith("data:") for name in fetched)


@needs_browser
def test_the_players_play(written, browser):
    browser.open(written[0] / "report.html")
    durations = browser.run(
        "return Promise.all([...document.querySelectorAll('audio')].map(a => new Promise(done => {"
        "a.onloadedmetadata = () => done(a.duration); a.onerror = () => done(null); a.load();"
        "a.preload = 'auto'; })))"
    )
    assert len(durations) == 12
    assert all(duration == pytest.approx(1.0, abs=0.01) for duration in durations)


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_and_can_be_read_in_the_dark(written, browser, scheme):
    phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    browser.emulate("Emulation.setDeviceMetricsOverride", phone)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.emulate("Emulation.setEmulatedMedia", {"features": features})
    browser.open(written[0] / "report.html")
    wide = browser.run(
        "return [document.documentElement.scrollWidth, innerWidth,"
        "[...document.querySelectorAll('.tile, .mistake, figure')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1).length]"
    )
    assert wide[0] <= wide[1] == 360
    assert wide[2] == 0
    colours = browser.run(
        "const style = s => getComputedStyle(document.querySelector(s));"
        "return [...['body', '.dim', '.bad', 'a'].map(s => style(s).color),"
        "style('body').backgroundColor]"
    )
    *inks, paper = (luminance(colour) for colour in colours)
    assert (paper < 0.1) == (scheme == "dark")
    for ink in inks:
        lighter, darker = max(ink, paper), min(ink, paper)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.2, level AA


def luminance(colour):
    """Relative luminance of `rgb(r, g, b)`, as WCAG 2.2 defines it."""
    values = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


STREAM = {**RUN, "mode": "stream"}
STREAM_ROWS = [
    recording(
        [(1, 2, "directed", "light on"), (4, 6, "not_directed")],
        [(1.1, 2, 0.9, "light on"), (4, 6, 0.7, "no"), (8, 9, 0.2)],
    )
]
CLASS_ROWS = [
    {
        "audio_filepath": f"{i}.wav",
        "label": "abc"[i % 3],
        "probabilities": {"a": 0.5, "b": 0.3, "c": 0.2},
        "latency_ms": {},
    }
    for i in range(12)
]


@pytest.mark.parametrize(
    ("rows", "run", "shown"),
    [
        ([], RUN, ["0 scored items", "Worst mistakes"]),
        ([row(0.1, "directed", error="bad")], RUN, ["could not be read or scored: 1"]),
        ([row(0.7, "directed"), row(0.2, "directed")], RUN, ["2 scored items"]),
        ([row(0.4, "directed"), row(0.4, "not_directed")] * 3, RUN, ["50.00 %"]),
        (STREAM_ROWS, STREAM, ["Spans found", "2 of 2", "3 decided utterances"]),
        (CLASS_ROWS, {**RUN, "threshold": None}, ["Confusion", "B taken for a", "33.33 %"]),
    ],
    ids=["no rows", "all failed", "one class", "constant", "stream", "classes"],
)
def test_any_run_has_a_report(tmp_path, rows, run, shown):
    write_results(tmp_path, rows, run, read_audio=tone)
    page = (tmp_path / "report.html").read_text("utf-8")
    for text in shown:
        assert text in page
    assert "nan" not in re.sub(r'"data:[^"]*"', "", page).lower().replace("name", "")


def test_worst_mistakes_come_first_and_from_both_kinds():
    rows = [
        *(row(0.5 + i / 100, "not_directed") for i in range(1, 41)),
        *(row(0.5 - i / 100, "directed") for i in (1, 3, 2)),
        row(0.99, "directed"),
        row(0.01, "not_directed"),
    ]
    found = worst_mistakes(rows, 0.5, 10)
    assert len(found) == 10
    rejects = [m.item["directed_probability"] for m in found if m.kind == "false reject"]
    assert rejects == pytest.approx([0.47, 0.48, 0.49])
    accepts = [m.item["directed_probability"] for m in found if m.kind == "false accept"]
    assert accepts == pytest.approx([0.9, 0.89, 0.88, 0.87, 0.86, 0.85, 0.84])
    assert len(worst_mistakes(rows, 0.5, 1000)) == 43


def test_sound_that_is_missing_or_too_much_is_said(monkeypatch):
    def fail(item):
        raise InputError("gone.wav\nis not there")

    wrong = worst_mistakes([row(0.9, "not_directed"), row(0.8, "not_directed")], 0.5, 5)
    assert [m.no_sound for m in with_sound(wrong, fail)] == ["no sound: gone.wav is not there"] * 2
    empty = with_sound(wrong, lambda item: np.zeros(0, np.int16))
    assert {m.no_sound for m in empty} == {"no sound: it is empty"}
    first = with_sound(wrong[:1], tone)[0].sound
    monkeypatch.setattr(mistakes, "MAX_SOUND_BYTES", len(first) * 3 // 4 + 10)
    found = with_sound(wrong, tone)
    assert found[0].sound == first
    assert found[1].sound is None
    assert "small" in found[1].no_sound


def test_long_sound_is_cut():
    import base64
    import io

    import soundfile

    wrong = worst_mistakes([row(0.9, "not_directed")], 0.5, 5)
    (found,) = with_sound(wrong, lambda item: np.ones(16_000 * 60, np.int16))
    data = base64.b64decode(found.sound.split(",", 1)[1])
    pcm, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    assert (len(pcm), rate) == (16_000 * 15, 16_000)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written") as caught:
        write_results(tmp_path / "file", [], RUN)
    assert "\n" not in str(caught.value)
