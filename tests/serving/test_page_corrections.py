"""The page's buttons and keys for what was decided wrong, in a real Chromium."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from tests.serving.test_page import SECONDS
from tests.support.browser import Browser, microphone_flags, needs_browser, open_browser
from tests.support.paths import ROOT
from tests.support.server_process import serving
from turbo_stream.learning.example_file import ExampleFile

pytest.importorskip("starlette", reason="needs the serve extra")
pytestmark = [pytest.mark.slow, needs_browser]


@contextmanager
def turbo_serve(*options: str) -> Iterator[str]:
    """Serve, ready; yield where."""
    whisper = ROOT / "tests" / "assets" / "whisper-kitchen"
    with serving("--asr", str(whisper), *options) as server:
        server.said("ready: ")
        yield f"http://127.0.0.1:{server.port}/"
        assert server.end(signal.SIGTERM) == 0, server.errors


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("learn") / "learned.json"


@pytest.fixture(scope="module")
def address(file: Path) -> Iterator[str]:
    with turbo_serve("--learn", str(file)) as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory, kitchen_pcm) -> Iterator[Browser]:
    folder = tmp_path_factory.mktemp("page")
    soundfile.write(folder / "microphone.wav", kitchen_pcm[: round(SECONDS * 16_000)], 16_000)
    flags = microphone_flags(folder / "microphone.wav")
    with open_browser(folder / "profile", *flags) as window:
        yield window


def listen(browser: Browser, address: str) -> None:
    """Hear a command and talk, and stop."""
    browser.go(address)
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.querySelectorAll('#decisions li').length === 2", 60)
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.getElementById('listen').ariaPressed === 'false'")


def line(browser: Browser) -> str:
    return browser.run("return document.querySelector('.learned').textContent")


def pressed(browser: Browser) -> list[list[str]]:
    """What is marked at each verdict, the newest first."""
    return browser.run(
        """return [...document.querySelectorAll("#decisions li")].map((row) =>
            [...row.querySelectorAll('.correct [aria-pressed="true"]')].map((one) => one.value))"""
    )


def kept(file: Path) -> list[tuple[bool, str]]:
    return [(one.directed, one.origin) for one in ExampleFile.read(file).examples.values()]


def wait_for_line(browser: Browser, start: str) -> None:
    browser.wait_for(f"return document.querySelector('.learned').textContent.startsWith({start!r})")


def test_a_verdict_is_corrected_by_a_click_and_by_keys(browser, address, file) -> None:
    listen(browser, address)
    browser.console()
    browser.run("document.querySelector('#decisions li:last-child [value=no]').click()")
    wait_for_line(browser, "Noted: not for me. So far 0 for me, 1 not; it wants ")
    assert kept(file) == [(False, "page")] and pressed(browser) == [[], ["no"]]
    browser.press("y")
    wait_for_line(browser, "Noted: for me. So far 1 for me, 1 not;")
    assert pressed(browser) == [["yes"], ["no"]]
    browser.press("n")
    wait_for_line(browser, "Noted: not for me. So far 0 for me, 2 not;")
    assert pressed(browser) == [["no"], ["no"]]
    assert kept(file) == [(False, "page")] * 2
    browser.press("u")
    wait_for_line(browser, "The last correction is undone. So far 0 for me, 1 not;")
    assert pressed(browser) == [[], ["no"]] and kept(file) == [(False, "page")]
    assert browser.console() == []


def test_keys_that_are_written_into_a_field_correct_nothing(browser, file) -> None:
    before = file.read_bytes()
    browser.run("document.getElementById('name').focus()")
    for key in "ynu":
        browser.press(key)
    assert browser.run("return document.getElementById('name').value") == "ynu"
    browser.run("document.getElementById('name').blur()")
    assert file.read_bytes() == before


def test_one_click_goes_back_to_as_shipped(browser, file) -> None:
    assert file.exists()
    browser.run("document.querySelector('.forget').click()")
    wait_for_line(browser, "All corrections are erased: it decides as it was shipped.")
    assert not file.exists()
    assert browser.run("return document.querySelectorAll('.correct').length") == 0
    browser.press("y")  # of what was forgotten there is nothing to correct
    browser.press("u")
    wait_for_line(browser, "Nothing was learned: there is no correction to undo.")
    assert not file.exists()
    browser.console()  # it shows the 404


def test_names_of_buttons_and_their_places_on_a_telephone(browser, address) -> None:
    size = {"width": 320, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.emulate("Emulation.setDeviceMetricsOverride", size)
    listen(browser, address)
    assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth")
    places = browser.run(
        """return [...document.querySelectorAll(".correct button, #learning button")]
            .map((button) => { const { left, right, height } = button.getBoundingClientRect();
                return { name: button.textContent, left, right, height }; })"""
    )
    assert [one["name"] for one in places] == [
        *["For me", "Not for me"] * 2,
        "Undo the last correction",
        "Back to as shipped: erase all corrections",
    ]
    for one in places:
        assert one["height"] >= 44 and 0 <= one["left"] < one["right"] <= 320, one
    groups = browser.run(
        """return [...document.querySelectorAll(".correct")].map((group) =>
            [group.getAttribute("role"), group.getAttribute("aria-label")])"""
    )
    assert groups == [
        ["group", "✕ Rejected, not for the device: was it for the device?"],
        ["group", "✓ Accepted, Turn on the kitchen lights.: was it for the device?"],
    ]
    browser.emulate("Emulation.clearDeviceMetricsOverride", {})


def test_a_server_that_learns_nothing_shows_nothing_of_it(browser) -> None:
    with turbo_serve() as address:
        listen(browser, address)
        assert browser.run("return document.querySelectorAll('.correct').length") == 0
        assert browser.run("return document.getElementById('learning').hidden")
        for key in "ynu":
            browser.press(key)
        assert browser.run("return document.querySelector('.learned').textContent") == ""
        assert browser.console() == []


def test_a_server_that_asks_for_a_token_is_told_it(browser, tmp_path) -> None:
    token = "sesame-open-the-door"
    with turbo_serve("--learn", str(tmp_path / "learned.json"), "--token", token) as address:
        listen(browser, f"{address}?token={token}")
        browser.press("n")
        wait_for_line(browser, "Noted: not for me.")
        assert browser.console() == []
    assert kept(tmp_path / "learned.json") == [(False, "page")]
