"""A real Chromium, driven by the W3C WebDriver protocol: a few requests, so no library for it."""

import base64
import json
import subprocess
import time
import urllib.request
from contextlib import contextmanager

from tests.support.needs import needs, program_path

needs_browser = needs("chromium", "chromedriver")

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


def microphone_flags(sound):
    """Return what has the browser hear a WAV file, once, as its microphone."""
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]


class Browser:
    """One window."""

    def __init__(self, url):
        self._url = url

    def open(self, path):
        self.go(path.as_uri())

    def go(self, url):
        self._ask("POST", "/url", {"url": url})

    def wait_for(self, script, seconds=20.0):
        """Return what the body of a function returns, once that is true."""
        deadline = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < deadline, f"{seconds:g} s passed: {script}"
            time.sleep(0.05)
        return found

    def press(self, key):
        """Press and release a key, named as the DevTools protocol names it."""
        codes = {"Tab": 9, "Enter": 13, "ArrowRight": 39, "n": 78, "u": 85, "y": 89}
        for kind in ("keyDown", "keyUp"):
            parameters = {"type": kind, "key": key, "windowsVirtualKeyCode": codes[key]}
            if kind == "keyDown" and (key == "Enter" or len(key) == 1):
                parameters["text"] = "\r" if key == "Enter" else key
            self.emulate("Input.dispatchKeyEvent", parameters)

    def screenshot(self):
        """Return the visible part of the page as PNG."""
        return base64.b64decode(self._ask("GET", "/screenshot", None))

    def run(self, script, *arguments):
        """Return what the body of a function returns; it may return a promise."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def console(self):
        """Return the messages since the last call, as (level, text)."""
        messages = self._ask("POST", "/se/log", {"type": "browser"})
        return [(message["level"], message["message"]) for message in messages]

    def emulate(self, command, parameters):
        """Send a command of the DevTools protocol."""
        self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _ask(self, method, path, body):
        return ask(method, self._url + path, body)


def ask(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return json.load(answer)["value"]


def _start_driver():
    """Start a driver on a port of its own choice; return it and the port.

    It takes one that is free for IPv6, which may be taken for IPv4: then it gives up.
    """
    for _ in range(10):
        driver = subprocess.Popen(
            [program_path("chromedriver"), "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in driver.stdout:
            if "started successfully on port" in line:
                return driver, int(line.rsplit("port ", 1)[1].strip().rstrip("."))
        driver.wait(20)
        driver.stdout.close()
    raise AssertionError("chromedriver finds no port")


@contextmanager
def open_browser(profile, *flags):
    """Start the driver, and a browser with a fresh `profile`."""
    driver, port = _start_driver()
    try:
        url = f"http://127.0.0.1:{port}/session"
        options = {
            "binary": program_path("chromium"),
            "args": [*FLAGS, *flags, f"--user-data-dir={profile}"],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        session = ask("POST", url, {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        try:
            yield Browser(f"{url}/{session}")
        finally:
            ask("DELETE", f"{url}/{session}")
    finally:
        driver.terminate()
        driver.wait(20)
        driver.stdout.close()
        time.sleep(0.1)  # Chromium's helpers still write into the profile
