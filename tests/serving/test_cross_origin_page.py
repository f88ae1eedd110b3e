"""A page of an allowed site in a real Chromium: it posts, reads, and opens a socket."""

import base64
import http.server
import io
import threading
from collections.abc import Iterator

import pytest
import soundfile

from tests.support.browser import needs_browser, open_browser
from tests.support.fakes import LoudnessDetector
from tests.support.served import served, shared_models
from turbo_stream.serving.access import GateConfig

pytestmark = [pytest.mark.slow, needs_browser]

TOKEN = "correct horse battery staple"

ASK = """
const [address, token, sound] = arguments;
const bytes = Uint8Array.from(atob(sound), (one) => one.charCodeAt(0));
const post = fetch(`http://${address}/v1/classify`, {
    method: "POST", body: bytes, headers: {Authorization: `Bearer ${token}`},
}).then(async (answer) => [answer.status, (await answer.json()).accepted ?? null], () => "refused");
const socket = new Promise((told) => {
    const one = new WebSocket(`ws://${address}/ws?token=${token}`);
    one.onmessage = (message) => told(JSON.parse(message.data).event);
    one.onclose = () => told("refused");
});
return Promise.all([post, socket]);
"""


@pytest.fixture
def site() -> Iterator[int]:
    """The port of another web server, with an empty page."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>panel</title>")

        def log_message(self, *parts: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_an_allowed_page_is_served_and_another_is_not(site, excerpt, tmp_path) -> None:
    file = io.BytesIO()
    soundfile.write(file, excerpt, 16_000, format="WAV")
    sound = base64.b64encode(file.getvalue()).decode()
    gate = GateConfig(TOKEN, origins=(f"http://localhost:{site}",))
    models = shared_models(detector=LoudnessDetector(always=0.9))
    with served(models, gate=gate) as server, open_browser(tmp_path / "profile") as browser:
        address = f"127.0.0.1:{server.port}"
        browser.go(f"http://localhost:{site}/")
        assert browser.run(ASK, address, TOKEN, sound) == [[200, True], "ready"]
        assert browser.run(ASK, address, "wrong", sound)[0] == [401, None], "it can read why"
        browser.go(f"http://127.0.0.1:{site}/")
        assert browser.run(ASK, address, TOKEN, sound) == ["refused", "refused"]
