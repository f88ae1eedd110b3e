"""The web page under hostile texts: they appear as text, run nothing, fetch nothing, move nothing.

A real Chromium shows the page of a real server. What would come through its WebSocket comes from
the test, but for one run in which all is real.
"""

import json

import pytest
import soundfile

from tests.attacks.nonsense import HOSTILE_TEXTS
from tests.support.browser import needs_browser, open_browser
from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.served import served, shared_models

pytest.importorskip("starlette", reason="needs the serve extra")
pytestmark = [pytest.mark.slow, needs_browser]

SECONDS = 3.6
"""The first utterance of the scene."""

MARKUP = [
    "<script>ran()</script>", "<img src=x onerror=ran()>", "<svg onload=ran()>", "</li><li>",
    "<iframe src='javascript:top.ran()'>",
    "<a href='javascript:ran()' autofocus onfocus=ran()>x", "<style>*{display:none}</style>",
    "<base href='//x.invalid/'>", "<link rel=stylesheet href=//x>",
    "<meta http-equiv=refresh content='0;url=//x.invalid'>", "</span></li></ol></main>", "<!--",
    "<template><li>", "<form action=//x.invalid><input name=listen id=listen>",
    "&lt;b&gt;&amp;", "&#60;img src=x onerror=ran()&#62;", "${ran()}", "{{ran()}}",
    "javascript:ran()", "data:text/html,x", "<p id=state>", "<bdi>", "</bdi>", "]]>",
    "\\u003cscript\\u003e", "'\"`><x onclick=ran()>", "constructor", "__proto__", "toString",
    "-->", "<math><mtext></math><img src=x onerror=ran()>", "https://x.invalid/a.png",
    "url(//x.invalid)", "\u2066", "\u2069\u2069", "\u202e" * 9, "\u200b" * 99, "שלום", "مرحبا",
    "\u0489" * 300, "𝕏" * 999, "W" * 20_000, "a " * 20_000, "\u2028", "\r\n" * 500, "\t" * 99,
    "ﷺ" * 200, "\u00a0" * 4_000, "\u3000", "\x7f\x80\x9f", "\ufffe\uffff",
]  # fmt: skip

TEXTS = [text for text in (*HOSTILE_TEXTS, *MARKUP) if text.isascii() or "\ud800" not in text]

BEFORE = """
window.told = [];
window.ran = () => told.push("ran");
for (const name of ["alert", "confirm", "prompt", "open", "eval"]) window[name] = window.ran;
addEventListener("securitypolicyviolation", (event) => told.push(event.blockedURI || "policy"));
addEventListener("error", (event) => told.push(`error: ${event.message}`));
addEventListener("unhandledrejection", (event) => told.push(`rejected: ${event.reason}`));
"""

NO_SOCKET = """
window.WebSocket = class {
  static OPEN = 1;
  static CONNECTING = 0;
  constructor() { window.socket = this; this.readyState = 1; }
  send() {}
  close() { this.onclose({ code: 1000, reason: "" }); }
};
"""

LOOK = """
for (const event of arguments[0]) window.socket.onmessage({ data: event });
return new Promise((told) => requestAnimationFrame(() => setTimeout(() => {
  const rows = [...document.querySelectorAll("#decisions > li")];
  const get = (id) => document.getElementById(id);
  const text = (node) => node.textContent;
  const box = (node) => node.getBoundingClientRect();
  const apart = (nodes) => nodes.every((node, at) =>
    at === 0 || box(node).top >= box(nodes[at - 1]).bottom - 1);
  told(JSON.stringify({
    said: text(rows[0].querySelector(".said")), models: text(get("models")),
    partial: text(get("partial")), state: text(get("state")),
    kinds: [...new Set([...document.querySelectorAll("body *")]
      .map((node) => node.localName))].sort(),
    ids: [...document.querySelectorAll("[id]")].map((node) => node.id).sort(),
    attributes: [...new Set([...document.querySelectorAll("main *")]
      .flatMap((node) => node.getAttributeNames()))].sort(),
    parts: rows[0].children.length, rows: rows.length, ran: window.told,
    wide: document.documentElement.scrollWidth - innerWidth,
    highest: Math.max(...rows.map((row) => box(row).height),
      box(document.querySelector("header")).height, box(get("state")).height),
    apart: apart([...document.querySelectorAll("main > :not([hidden])")]) && apart(rows),
    decision: text(rows[0].querySelector(".decision")),
    listen: box(get("listen")).height,
    fetched: performance.getEntriesByType("resource").map((one) => one.name),
    title: document.title, address: location.href,
  }).replace(/[^ -~]/g, (one) => "\\\\u" + one.charCodeAt(0).toString(16).padStart(4, "0")));
}, 0)));
"""

HIGHEST = 900
"""CSS pixels of one decision or of the head on a telephone, however long its text."""


def hostile(chance) -> str:
    """A text of up to four hostile pieces."""
    return "".join(TEXTS[chance.integers(len(TEXTS))] for _ in range(chance.integers(1, 5)))


def sent(chance) -> dict[str, str | list[str]]:
    """The texts of one round, by where they belong."""
    names = ["names"] * int(chance.integers(0, 4))
    return {
        "said": hostile(chance),
        "partial": hostile(chance),
        "detail": hostile(chance),
        "cause": hostile(chance),
        "model": hostile(chance),
        "asr": hostile(chance),
        "names": [hostile(chance) for _ in names],
    }


def events(texts, number) -> list[str]:
    """What the server would send of them."""
    said, reason = texts["said"], texts["cause"]
    ready = {"model": texts["model"], "asr": texts["asr"], "vad": "silero", "threshold": 0.5}
    decision = ("accepted", "rejected", "dropped")[number % 3]
    judged = decision != "dropped"
    utterance = {
        "id": number, "decision": decision, "text": said if decision == "accepted" else None,
        "reason": reason, "end_s": 1.5, "directed_probability": 0.5 if judged else None,
        "latency_ms": {"endpoint_to_decision": 12.5}, "threshold": 0.5, "degraded": [],
    }  # fmt: skip
    found = [
        {"event": "ready", **ready, "names": texts["names"], "address": "named"},
        {"event": "speech_started", "id": number, "time_s": 1.0},
        {"event": "gap", "lost_samples": 16_000, "cause": reason},
        {"event": "utterance", **utterance},
        {"event": "partial", "text": texts["partial"]},
        {"event": "source", "state": "muted", "detail": texts["detail"]},
    ]
    return [json.dumps(event) for event in found]


def shown(browser, messages=()):
    """What the page shows after these messages; escaped on its way: the driver refuses some."""
    script = LOOK if messages else LOOK.replace("window.socket", "null")
    return json.loads(browser.run(script, list(messages)))


@pytest.fixture(scope="module")
def microphone(tmp_path_factory, kitchen_pcm):
    path = tmp_path_factory.mktemp("sound") / "microphone.wav"
    soundfile.write(path, kitchen_pcm[: round(SECONDS * 16_000)], 16_000)
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={path}%noloop",
        "--autoplay-policy=no-user-gesture-required",
    ]


def started(browser, url, script) -> None:
    browser.emulate("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.emulate("Emulation.setDeviceMetricsOverride", size)
    browser.go(url)
    browser.run("document.getElementById('listen').click()")
    browser.wait_for("return document.getElementById('listen').ariaPressed === 'true'")


def checked(found, usual, server) -> None:
    """What holds whatever the texts are."""
    assert found["ran"] == []
    assert found["kinds"] == usual["kinds"] and found["ids"] == usual["ids"]
    assert found["attributes"] == usual["attributes"]
    # Its bar and numbers are there only where it was judged.
    assert found["parts"] == (2 if found["decision"] == "– Not judged" else 3)
    assert all(name.startswith(server.url) for name in found["fetched"]), found["fetched"]
    # What was learned is asked for whenever a stream begins, in its own time.
    asked = {f"{server.url}/v1/learning"}
    assert set(found["fetched"]) | asked == set(usual["fetched"]) | asked
    assert found["title"] == usual["title"] and found["address"] == usual["address"]
    assert found["wide"] <= 0, f"{found['wide']} px too wide"
    assert found["highest"] < HIGHEST and found["listen"] < 100, found["highest"]
    assert found["apart"], "parts of the page overlap"


def test_whatever_is_said_the_page_shows_it_as_text(attack, microphone, tmp_path) -> None:
    models = shared_models(detector=LoudnessDetector(always=0.9))
    plain = {"said": "on", "partial": "on", "detail": "muted", "cause": "overload"}
    plain |= {"model": "turbo", "asr": "whisper", "names": ["Anna", "Bob"]}
    with served(models) as server, open_browser(tmp_path / "profile", *microphone) as browser:
        started(browser, server.url, BEFORE + NO_SOCKET)
        for number in range(3):
            usual = shown(browser, events(plain, number))
        assert usual["ran"] == [] and usual["apart"] and usual["wide"] <= 0
        for chance in attack.inputs(at_least=40):
            texts, number = sent(chance), int(chance.integers(3))
            found = shown(browser, events(texts, number))
            checked(found, usual, server)
            words = [texts["said"] or "no words were recognized", "not for the device"]
            if number % 3 < 2:
                assert found["said"] == words[number % 3]
            elif texts["cause"] not in ("error", "overload"):
                assert found["said"] == texts["cause"]
            assert found["partial"] == texts["partial"]
            assert found["state"] == f"No sound: {texts['detail']}"
            called = " · named" + (f": {', '.join(texts['names'])}" if texts["names"] else "")
            assert found["models"] == f"{texts['model']} · {texts['asr']} · silero{called}"
        assert browser.console() == []


@pytest.mark.parametrize("text", ["<img src=x onerror=ran()>\u202e\x1b[2J\x00", "W" * 5_000])
def test_a_hostile_text_comes_through_a_real_server_as_text(text, microphone, tmp_path) -> None:
    models = shared_models(
        ScriptedRecognizer(text),
        LoudnessDetector(always=0.9),
        names=("<b>Anna</b>",),
        address="open",
    )
    with served(models) as server, open_browser(tmp_path / "profile", *microphone) as browser:
        started(browser, server.url, BEFORE)
        browser.wait_for("return document.querySelector('#decisions > li')", 30)
        found = shown(browser)
        checked(found, found, server)
        assert found["said"].split() and found["said"][:20] in text
        assert "<b>Anna</b>" in found["models"]
