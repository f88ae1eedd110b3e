"""The web page in a real Chromium whose microphone plays the shipped scene."""

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile

from tests.support.browser import Browser, microphone_flags, needs_browser, open_browser
from tests.support.paths import ROOT
from turbo_stream.cli.view.view import DEGRADED

pytest.importorskip("starlette", reason="needs the serve extra")
pytestmark = [pytest.mark.slow, needs_browser]

PAGE = ROOT / "turbo_stream" / "serving" / "page"
SECONDS = 7.6
"""The first two utterances of the scene: a command, and talk."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "turbo_stream.cli.serve", "--port", "0"]
    command += ["--asr", str(ROOT / "tests" / "assets" / "whisper-kitchen")]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert server.stderr is not None
    try:
        told = next(line for line in server.stderr if "http://" in line)
        yield next(word for word in told.split() if word.startswith("http://"))
    finally:
        server.terminate()
        server.stderr.close()
        assert server.wait(30) == 0


@pytest.fixture(scope="module")
def browser(tmp_path_factory, kitchen_pcm, address) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("page")
    soundfile.write(folder / "microphone.wav", kitchen_pcm[: round(SECONDS * 16_000)], 16_000)
    flags = microphone_flags(folder / "microphone.wav")
    with open_browser(folder / "profile", *flags) as window:
        yield window


def decisions(browser: Browser) -> list[dict]:
    return browser.run(
        """return [...document.querySelectorAll("#decisions li")].reverse().map((row) => ({
            decision: row.dataset.decision,
            said: row.querySelector(".said").textContent,
            bar: getComputedStyle(row.querySelector(".bar")).backgroundImage,
            score: Number(row.querySelector(".bar").ariaValueNow),
            asked: parseFloat(getComputedStyle(row.querySelector(".bar"), "::after").left),
            now: parseFloat(getComputedStyle(row.querySelector(".bar"), "::before").left),
            width: row.querySelector(".bar").clientWidth,
            figures: row.querySelector(".figures").innerText,
        }))"""
    )


def colour(browser: Browser, name: str) -> str:
    """Return a colour of the page as `rgb(...)`."""
    return browser.run(
        """const one = document.createElement("i");
        one.style.color = `var(${arguments[0]})`;
        document.body.append(one);
        const found = getComputedStyle(one).color;
        one.remove();
        return found""",
        name,
    )


def test_spoken_commands_are_accepted_and_talk_is_not(browser: Browser, address: str) -> None:
    browser.go(address)
    assert browser.run("return document.getElementById('threshold').disabled")
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.querySelectorAll('#decisions li').length === 2", 40)
    command, talk = decisions(browser)
    assert command["decision"] == "accepted" and command["score"] > 0.5
    assert command["said"].casefold().rstrip(".") == "turn on the kitchen lights"
    assert talk["decision"] == "rejected" and talk["score"] < 0.5
    assert talk["said"] == "not for the device"
    assert re.search(
        r"accepted from 0\.\d\d\s+decided \d\.\d s after the last word", command["figures"]
    )
    text = browser.run("return document.body.innerText")
    assert "sister" not in text.casefold() and "1 accepted, 1 rejected." in text
    assert "turbo-rej-en" in text
    painted = browser.run(
        """const canvas = document.getElementById("waveform");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value, index) => index % 4 === 3 && value > 0)"""
    )
    assert painted
    assert browser.console() == []


def test_stopping_leaves_the_decisions_and_starting_begins_anew(browser, address) -> None:
    state = "return document.getElementById('state').textContent"
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.getElementById('listen').ariaPressed === 'false'")
    browser.wait_for(f"{state} === 'The microphone is off.'")
    assert len(decisions(browser)) == 2
    assert browser.console() == []


def test_a_bar_tells_the_decision_and_where_the_threshold_stood_and_stands(browser) -> None:
    """By colour, by filled or striped, and by two marks, of which one follows the slider."""
    command, talk = decisions(browser)
    green, red = colour(browser, "--accepted"), colour(browser, "--rejected")
    assert command["bar"].startswith("linear-gradient(") and green in command["bar"]
    assert talk["bar"].startswith("repeating-linear-gradient(") and red in talk["bar"]
    assert green not in talk["bar"]
    slider = """const slider = document.getElementById("threshold");
        slider.value = arguments[0];
        slider.dispatchEvent(new Event("input"))"""
    for chosen in (0.9, 0.2):
        browser.run(slider, chosen)
        for row, before in zip(decisions(browser), (command, talk), strict=True):
            assert row["asked"] == before["asked"]
            assert row["now"] == pytest.approx(chosen * row["width"], abs=1)
    for row in (command, talk):
        assert 0 < row["asked"] < row["width"]
        assert (row["score"] > row["asked"] / row["width"]) == (row is command)


def test_what_a_decision_rests_on_less_is_told_as_on_the_terminal(browser, address) -> None:
    told, late, failed, dropped = browser.run(
        """return import("./decisions.js").then(({ DEGRADED, Decisions }) => {
            const said = (event) => Decisions.prototype.said({ degraded: [], ...event });
            const late = { decision: "accepted", evidence: "sound", degraded: ["asr_late"] };
            const failed = { decision: "rejected", evidence: "sound", text: null };
            const dropped = { decision: "dropped", reason: "too_short", text: null };
            return [
                [...DEGRADED],
                said({ ...late, text: "" }),
                said({ ...failed, degraded: ["asr_failed", "gap"] }),
                said({ ...dropped, degraded: ["cut_off"] }),
            ];
        })"""
    )
    assert dict(told) == DEGRADED
    assert late == "by its sound; text too late"
    assert failed == "not for the device (by its sound; the recognizer failed; sound was lost)"
    assert dropped == "too short (cut off)"


def test_nothing_of_what_was_said_is_counted(address) -> None:
    with urllib.request.urlopen(f"{address.rstrip('/')}/metrics") as answer:
        page = answer.read().decode()
    assert "sister" not in page and "kitchen" not in page


def test_a_device_with_a_name_is_called_by_it(browser: Browser, address: str) -> None:
    browser.go(address)
    chosen = "return document.getElementById('address').value"
    assert browser.run(chosen) == "open"
    browser.run(
        """const name = document.getElementById("name");
        name.value = "friday";
        name.dispatchEvent(new Event("change"));
        document.getElementById("listen").click();"""
    )
    assert browser.run(chosen) == "named"
    browser.wait_for("return document.querySelectorAll('#decisions li').length === 2", 40)
    assert "named: friday" in browser.run("return document.getElementById('models').textContent")
    command, talk = decisions(browser)
    assert command["said"] == "not for the device (not called by name)"
    assert (command["decision"], talk["decision"]) == ("rejected", "rejected")
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.getElementById('name').disabled === false")


def test_the_keyboard_is_enough(browser: Browser, address: str) -> None:
    browser.go(address)
    browser.press("Tab")
    assert browser.run("return document.activeElement.id") == "listen"
    browser.press("Enter")
    browser.wait_for("return document.getElementById('listen').ariaPressed === 'true'")
    browser.wait_for("return !document.getElementById('threshold').disabled")
    browser.press("Tab")
    assert browser.run("return document.activeElement.id") == "threshold"
    value = "return document.getElementById('threshold-value').textContent"
    before = float(browser.run(value))
    browser.press("ArrowRight")
    assert float(browser.run(value)) == pytest.approx(before + 0.01)
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.getElementById('listen').ariaPressed === 'false'")
    assert browser.console() == []


def test_what_is_accepted_follows_the_threshold(browser: Browser, address: str) -> None:
    browser.go(address)
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return !document.getElementById('threshold').disabled")
    browser.run(
        """const slider = document.getElementById("threshold");
        slider.value = slider.max;
        slider.dispatchEvent(new Event("input"));
        slider.dispatchEvent(new Event("change"))"""
    )
    assert browser.run("return document.getElementById('threshold-value').textContent") == "0.98"
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.getElementById('listen').ariaPressed === 'false'")
    assert browser.console() == []


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_it_fits_a_telephone_and_a_desk(browser: Browser, address: str, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.emulate("Emulation.setDeviceMetricsOverride", size)
    browser.go(address)
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    low = browser.run("return document.getElementById('listen').getBoundingClientRect().height")
    assert low >= 44  # a finger's width (WCAG 2.5.5)
    browser.emulate("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_paper(browser: Browser, address: str, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 1.4.3), in both colour schemes."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.emulate("Emulation.setEmulatedMedia", {"features": features})
    browser.go(address)
    colours = browser.run(
        """const style = getComputedStyle(document.documentElement);
        const names = ["--paper", "--ink", "--soft", "--accepted", "--rejected", "--dropped"];
        return names.map((name) => style.getPropertyValue(name).trim())"""
    )
    paper, *inks = (luminance(colour) for colour in colours)
    for ink in inks:
        light, dark = max(ink, paper), min(ink, paper)
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    browser.emulate("Emulation.setEmulatedMedia", {"features": []})


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_microphone_at_another_rate_is_converted(browser: Browser, address: str) -> None:
    """48 kHz to 16 kHz: a tone within the band stays, one above it goes, however it is cut."""
    browser.go(address)
    found = browser.run(
        """return import("./downsampler.js").then(({ Downsampler }) => {
            const level = (hertz, block) => {
                const down = new Downsampler(48000, 16000), out = [];
                const tone = Float32Array.from({ length: 48000 },
                    (_, i) => Math.sin((2 * Math.PI * hertz * i) / 48000));
                for (let i = 0; i < tone.length; i += block) {
                    out.push(...down.process(tone.slice(i, i + block)));
                }
                const middle = out.slice(1000, 15000);
                const power = middle.reduce((sum, x) => sum + x * x, 0) / middle.length;
                return { samples: out.length, level: Math.sqrt(2 * power) };
            };
            return [level(1000, 128), level(1000, 4800), level(5000, 128), level(12000, 128)];
        })"""
    )
    low, low_in_long_blocks, high, above = found
    for kept in (low, low_in_long_blocks, high):
        assert kept["level"] == pytest.approx(1.0, abs=0.01)
        assert kept["samples"] == pytest.approx(16_000, abs=40)
    assert low["level"] == pytest.approx(low_in_long_blocks["level"], abs=1e-6)
    assert above["level"] < 0.005


def test_nothing_comes_from_elsewhere() -> None:
    for path in PAGE.iterdir():
        text = Path(path).read_text(encoding="utf-8")
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", ""), path
        assert "https://" not in text, path
