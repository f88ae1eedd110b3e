"""`/v1/audio/transcriptions` and `/v1/models`, as raw HTTP and by OpenAI's own client."""

import gc
import json
import threading
import time
import tracemalloc
from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest

from tests.serving.openai.conftest import TOKEN, deciding
from tests.serving.test_classify import sound_file
from tests.support.fakes import ScriptedRecognizer
from tests.support.served import Served, served, shared_models
from turbo_stream.serving.limits import Limits

SAID = "turn on the lights"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def sound(excerpt: np.ndarray) -> bytes:
    return sound_file(excerpt, "FLAC")


def post(server: Served, sound: bytes, query: str = "", **fields: Any) -> httpx.Response:
    url = f"{server.url}/v1/audio/transcriptions{query}"
    files = {"file": ("a.flac", sound)}
    return httpx.post(url, data=fields, files=files, headers=HEADERS, timeout=60)


def checked(server: Served, answer: httpx.Response, path: str, method: str) -> Any:
    """Return the body, held against `/openapi.json`."""
    document = httpx.get(f"{server.url}/openapi.json").json()
    described = document["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    schema = described["application/json"]["schema"]
    jsonschema.validate(answer.json(), {**schema, "components": document["components"]})
    return answer.json()


def transcribed(server: Served, answer: httpx.Response) -> Any:
    return checked(server, answer, "/v1/audio/transcriptions", "post")


def test_accepted_speech_is_its_text(accepting, sound) -> None:
    answer = transcribed(accepting, post(accepting, sound, model="whisper-1"))
    assert set(answer["text"].split()) == set(SAID.split())
    assert answer["directed_probability"] == 0.9
    verbose = transcribed(accepting, post(accepting, sound, response_format="verbose_json"))
    assert verbose["text"] == answer["text"] == " ".join(s["text"] for s in verbose["segments"])
    assert verbose["duration"] == pytest.approx(answer["usage"]["seconds"])
    plain = post(accepting, sound, response_format="text")
    assert plain.text == answer["text"] + "\n" and plain.headers["content-type"].startswith("text/")


def test_rejected_speech_is_empty_whatever_the_server_shows(rejecting, sound) -> None:
    answer = post(rejecting, sound)
    assert transcribed(rejecting, answer)["text"] == ""
    assert answer.json()["directed_probability"] == 0.1
    verbose = post(rejecting, sound, response_format="verbose_json")
    assert {s["decision"] for s in transcribed(rejecting, verbose)["segments"]} == {"rejected"}
    plain = post(rejecting, sound, response_format="text")
    events = post(rejecting, sound, stream="true")
    assert plain.text == "" and events.headers["content-type"].startswith("text/event-stream")
    assert [json.loads(line[6:])["type"] for line in events.text.split("\n\n") if line] == [
        "transcript.text.done"
    ]
    assert "lights" not in verbose.text + answer.text + events.text


def test_silence_has_no_probability(rejecting) -> None:
    answer = transcribed(rejecting, post(rejecting, sound_file(np.zeros(16_000, np.int16))))
    assert answer["text"] == "" and answer["directed_probability"] is None


def test_the_address_chooses_as_for_classify(rejecting, sound) -> None:
    assert "lights" in post(rejecting, sound, "?threshold=0.05").json()["text"]


@pytest.mark.parametrize(
    ("status", "param", "fields"),
    [
        (400, "language", {"language": "de"}),
        (400, "response_format", {"response_format": "srt"}),
        (400, "timestamp_granularities", {"timestamp_granularities[]": "word"}),
        (400, "stream", {"stream": "perhaps"}),
    ],
)
def test_what_cannot_be_had_names_its_field(accepting, sound, status, param, fields) -> None:
    answer = post(accepting, sound, **fields)
    assert answer.status_code == status
    error = transcribed(accepting, answer)["error"]
    assert error["param"] == param and f"`{param}`" in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize("given", ["en", "EN", "en-US", "en_GB", ""])
def test_the_language_that_is_heard_may_be_given(accepting, sound, given) -> None:
    assert post(accepting, sound, language=given).status_code == 200


def test_what_is_no_sound_or_no_form_is_told(accepting, sound) -> None:
    answer = post(accepting, b"no sound")
    assert transcribed(accepting, answer)["error"]["param"] == "file"
    url = f"{accepting.url}/v1/audio/transcriptions"
    for sent in ({"content": sound}, {"files": {"sound": sound}}, {"data": {"model": "x"}}):
        answer = httpx.post(url, headers=HEADERS, **sent)
        assert answer.status_code == 400
        assert "file" in transcribed(accepting, answer)["error"]["message"]
    answer = post(accepting, sound, "?threshold=x")
    assert answer.status_code == 400 and "number" in answer.json()["error"]["message"]


def test_errors_have_openais_shape_at_its_addresses_alone(accepting) -> None:
    url, kinds = accepting.url, {"message", "type", "code", "param"}
    for answer, status in (
        (httpx.get(f"{url}/v1/models"), 401),
        (httpx.get(f"{url}/v1/models", headers={"Authorization": "Bearer wrong"}), 401),
        (httpx.get(f"{url}/v1/audio/transcriptions", headers=HEADERS), 405),
        (httpx.get(f"{url}/v1/audio/speech", headers=HEADERS), 404),
        (httpx.get(f"{url}/v1/models/whisper-1", headers=HEADERS), 404),
    ):
        assert answer.status_code == status and set(answer.json()["error"]) == kinds
    assert isinstance(httpx.get(f"{url}/v1/learning").json()["error"], str)


def test_files_of_both_endpoints_share_their_places(sound) -> None:
    release = threading.Event()
    models = shared_models(ScriptedRecognizer(release=release))
    with served(models, Limits(files=1)) as server:
        first = threading.Thread(target=post, args=(server, sound))
        first.start()
        while b'turbo_open_streams{transport="rest"} 1.0' not in server.hub.metrics.page():
            time.sleep(0.01)
        busy = post(server, sound)
        assert httpx.post(f"{server.url}/v1/classify", content=sound).status_code == 429
        release.set()
        first.join(30)
    assert busy.status_code == 429 and busy.headers["retry-after"]
    assert busy.json()["error"]["code"] == "rate_limit_exceeded"


def test_a_file_may_be_as_long_as_elsewhere(sound) -> None:
    with deciding(0.9, Limits(file_bytes=len(sound))) as server:
        assert post(server, sound, prompt="p" * 1000).status_code == 200
        long = post(server, sound + b"\0")
        assert long.status_code == 413 and long.json()["error"]["code"] == "file_too_large"


@pytest.mark.parametrize("kind", ["no sound", "a wish", "a long field", "sound"])
def test_nothing_is_left_of_a_file_that_is_answered(kind: str) -> None:
    whole = 4_000_000
    content, fields, status = {
        "no sound": (b"\0" * whole, {}, 400),
        "a wish": (b"\0" * whole, {"language": "de"}, 400),
        "a long field": (b"\0" * whole, {"prompt": "p" * 70_000}, 413),
        "sound": (sound_file(np.zeros(whole // 2, np.int16), rate=48_000), {}, 200),
    }[kind]
    with deciding(0.9, Limits(file_bytes=whole + 1000, file_s=80)) as server:
        post(server, b"loads what is loaded late")
        gc.collect()
        gc.disable()  # as it is for a long time where little else is made
        tracemalloc.start(1)
        try:
            assert post(server, content, **fields).status_code == status
            time.sleep(0.2)
            left = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            gc.enable()
    assert left < whole / 4


def test_before_the_models_are_there(sound) -> None:
    with served(None) as server:
        for answer in (post(server, sound), httpx.get(f"{server.url}/v1/models")):
            assert answer.status_code == 503 and answer.headers["retry-after"]
            assert "loaded" in answer.json()["error"]["message"]


def test_the_model_that_answers_is_listed(accepting) -> None:
    listed = httpx.get(f"{accepting.url}/v1/models", headers=HEADERS)
    (model,) = checked(accepting, listed, "/v1/models", "get")["data"]
    one = httpx.get(f"{accepting.url}/v1/models/{model['id']}", headers=HEADERS)
    assert checked(accepting, one, "/v1/models/{id}", "get") == model


def test_openais_own_client_is_served(accepting, rejecting, sound) -> None:
    openai = pytest.importorskip("openai", reason="needs the test extra")

    def client(server: Served, token: str = TOKEN) -> Any:
        return openai.OpenAI(base_url=f"{server.url}/v1", api_key=token, max_retries=0)

    create = client(accepting).audio.transcriptions.create
    file = ("a.flac", sound)
    (model,) = client(accepting).models.list()
    plain = create(file=file, model=model.id, language="en", temperature=0)
    assert plain.text.startswith(SAID) and plain.directed_probability == 0.9
    verbose = create(
        file=file,
        model="whisper-1",
        response_format="verbose_json",
        timestamp_granularities=["segment"],
    )
    assert [segment.text for segment in verbose.segments] == [SAID] * len(verbose.segments)
    told = list(create(file=file, model="gpt-4o-transcribe", stream=True))
    assert "".join(event.delta for event in told[:-1]) == plain.text == told[-1].text
    other = client(rejecting).audio.transcriptions.create(file=file, model="whisper-1")
    assert other.text == "" and other.directed_probability == 0.1
    with pytest.raises(openai.BadRequestError) as wrong:
        create(file=file, model="whisper-1", language="de")
    assert wrong.value.param == "language"
    with pytest.raises(openai.AuthenticationError) as stranger:
        client(accepting, "wrong").models.list()
    assert stranger.value.code == "invalid_api_key"
    with pytest.raises(openai.NotFoundError) as unknown:
        client(accepting).models.retrieve("whisper-1")
    assert unknown.value.code == "model_not_found"
