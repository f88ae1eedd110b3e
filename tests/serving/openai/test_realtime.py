"""`/v1/realtime`, as raw messages and by OpenAI's own client."""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.serving.openai.conftest import TOKEN, deciding
from tests.support.served import Served, served
from turbo_stream.audio.resampler import to_pcm
from turbo_stream.serving.limits import Limits

SAID = "turn on the lights"
STARTED = "input_audio_buffer.speech_started"
COMPLETED = "conversation.item.input_audio_transcription.completed"
MANUAL = {"type": "transcription", "audio": {"input": {"turn_detection": None}}}
COMMIT = {"type": "input_audio_buffer.commit"}
CLEAR = {"type": "input_audio_buffer.clear"}


@pytest.fixture(scope="module")
def sound(excerpt: np.ndarray) -> list[str]:
    """One utterance and what follows, at 24 kHz, in pieces of 0.1 s of base64."""
    import soxr

    pcm = to_pcm(soxr.resample(excerpt[: 16_000 * 4].astype(np.float32) / 32_768, 16_000, 24_000))
    return [
        base64.b64encode(pcm[start : start + 2400].tobytes()).decode()
        for start in range(0, len(pcm), 2400)
    ]


@contextmanager
def client(server: Served, query: str = "?intent=transcription") -> Iterator[ClientConnection]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"ws://127.0.0.1:{server.port}/v1/realtime{query}"
    with connect(url, additional_headers=headers, compression=None, open_timeout=30) as opened:
        yield opened


def tell(client: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        client.send(json.dumps(message))


def until(client: ClientConnection, kind: str) -> list[dict[str, Any]]:
    """Return all messages up to the first of that kind."""
    found = []
    while not found or found[-1]["type"] != kind:
        found.append(json.loads(client.recv(timeout=60)))
        assert found[-1]["event_id"].startswith("event_")
    return found


def appended(sound: list[str]) -> list[dict[str, Any]]:
    return [{"type": "input_audio_buffer.append", "audio": piece} for piece in sound]


def test_turns_are_found_in_what_is_said(accepting, sound) -> None:
    with client(accepting) as one:
        (created,) = until(one, "session.created")
        assert created["session"]["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
        tell(one, *appended(sound))
        told = until(one, COMPLETED)
    started, stopped, committed, _, delta, completed = told
    assert [message["type"].rpartition(".")[2] for message in told] == [
        *("speech_started", "speech_stopped", "committed", "added", "delta", "completed")
    ]
    assert {message.get("item_id", started["item_id"]) for message in told} == {started["item_id"]}
    assert 0 <= started["audio_start_ms"] < stopped["audio_end_ms"] <= 4000
    assert committed["previous_item_id"] is None
    assert delta["delta"] == completed["transcript"] == SAID
    assert completed["directed_probability"] == 0.9


def test_rejected_speech_is_an_empty_transcript(rejecting, sound) -> None:
    with client(rejecting) as one:
        tell(one, *appended(sound))
        told = until(one, COMPLETED)
    assert told[-1]["transcript"] == "" and told[-1]["directed_probability"] == 0.1
    assert "lights" not in json.dumps(told) and not any("delta" in message for message in told)


def test_a_client_may_end_its_turns_itself(accepting, sound) -> None:
    with client(accepting) as one:
        tell(one, {"type": "session.update", "session": MANUAL}, *appended(sound), COMMIT)
        told = until(one, COMPLETED)
        assert told[1]["session"]["audio"]["input"]["turn_detection"] is None
        kinds = [message["type"] for message in told]
        assert "input_audio_buffer.speech_started" not in kinds
        assert set(told[-1]["transcript"].split()) == set(SAID.split())
        # What is cleared is not in the next turn, which silence makes an empty one.
        tell(one, *appended(sound), CLEAR)
        until(one, "input_audio_buffer.cleared")
        silence = base64.b64encode(bytes(24_000)).decode()
        tell(one, *appended([silence]), COMMIT)
        empty = until(one, COMPLETED)
    assert empty[-1]["transcript"] == "" and empty[-1]["directed_probability"] is None
    assert empty[0]["previous_item_id"] == told[-1]["item_id"]


def test_a_commit_ends_a_turn_that_goes_on(accepting, sound) -> None:
    with client(accepting) as one:
        tell(one, *appended(sound[:20]), COMMIT)
        first = until(one, COMPLETED)[-1]
        tell(one, *appended(sound))
        (started,) = until(one, "input_audio_buffer.speech_started")
        until(one, COMPLETED)
    assert first["transcript"] == SAID
    assert started["audio_start_ms"] >= 2000, "times go on"


@pytest.mark.parametrize(
    ("message", "param", "code"),
    [
        ("[]", None, None),
        ("no JSON", None, None),
        ({"type": "response.create"}, "type", None),
        ({"type": "input_audio_buffer.append", "audio": "%"}, "audio", None),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, "audio", None),
        (COMMIT, None, "input_audio_buffer_commit_empty"),
        ({"type": "session.update", "session": {"type": "realtime"}}, "session.type", None),
        *(
            (
                {"type": "session.update", "session": {"audio": {"input": given}}},
                f"session.audio.input.{param}",
                None,
            )
            for given, param in (
                ({"format": {"type": "audio/pcmu"}}, "format"),
                ({"format": {"type": "audio/pcm", "rate": 16_000}}, "format"),
                ({"transcription": {"language": "de"}}, "transcription.language"),
                ({"turn_detection": {"type": "semantic_vad"}}, "turn_detection"),
            )
        ),
    ],
)
def test_a_mistake_is_told_and_the_session_goes_on(accepting, message, param, code) -> None:
    with client(accepting) as one:
        if isinstance(message, str):
            one.send(message)
        else:
            tell(one, {"event_id": "mine", **message})
        error = until(one, "error")[-1]["error"]
        assert (error["param"], error["code"]) == (param, code)
        assert error["event_id"] == (None if isinstance(message, str) else "mine")
        tell(one, CLEAR)
        until(one, "input_audio_buffer.cleared")


def why(server: Served, query: str = "", *messages: dict[str, Any]) -> tuple[int, str]:
    """Return the code of the close, and the message of the error before it."""
    with client(server, query) as one:
        tell(one, *messages)
        told = []
        try:
            while True:
                told.append(json.loads(one.recv(timeout=60)))
        except ConnectionClosed:
            return one.close_code or 0, told[-1]["error"]["message"] if told else ""


def test_limits_and_choices_are_those_of_other_streams(accepting, sound) -> None:
    assert why(accepting, "?threshold=2")[0] == 1008
    with deciding(0.9, Limits(idle_s=0.3)) as server:
        code, message = why(server)
        assert code == 1008 and "0.3 s" in message
    with deciding(0.9, Limits(stream_s=1)) as server:
        code, message = why(server, "", *appended(sound))
        assert code == 1008 and "1 s long" in message
    with served(None) as server:
        code, message = why(server)
        assert code == 1013 and "loaded" in message
    with (
        pytest.raises(ConnectionClosed) as stranger,
        connect(f"ws://127.0.0.1:{accepting.port}/v1/realtime", open_timeout=30) as one,
    ):
        one.recv(timeout=30)
    assert stranger.value.rcvd is not None and stranger.value.rcvd.code == 1008


def test_a_server_that_ends_tells_what_was_said_before(sound) -> None:
    with ExitStack() as stack:
        with deciding(0.9) as server:
            one = stack.enter_context(client(server))
            asked = {"type": "session.update", "session": {"type": "transcription"}}
            tell(one, *appended(sound[:20]), asked)
            # It is answered in its turn: by then all of the sound is there.
            begun = until(one, "session.updated")
            if not any(m["type"] == STARTED for m in begun):
                until(one, STARTED)
        told = until(one, "error")
        with pytest.raises(ConnectionClosed):
            one.recv(timeout=30)
    assert [m["transcript"] for m in told if m["type"] == COMPLETED] == [SAID]
    assert told[-1]["error"]["code"] == "draining" and one.close_code == 1001


def test_openais_own_client_is_served(accepting, sound) -> None:
    openai = pytest.importorskip("openai", reason="needs the test extra")

    async def heard() -> list[Any]:
        api = openai.AsyncOpenAI(
            base_url=f"{accepting.url}/v1",
            websocket_base_url=f"ws://127.0.0.1:{accepting.port}/v1",
            api_key=TOKEN,
        )
        told = []
        async with (
            asyncio.timeout(60),
            api.realtime.connect(extra_query={"intent": "transcription"}) as one,
        ):
            vad = {
                "type": "transcription",
                "audio": {"input": {"turn_detection": {"type": "server_vad"}}},
            }
            await one.session.update(session=vad)
            for piece in sound:
                await one.input_audio_buffer.append(audio=piece)
            async for event in one:
                told.append(event)
                if event.type == COMPLETED:
                    return told
        raise AssertionError("it never completed")

    told = asyncio.run(heard())
    assert [event.type for event in told[:2]] == ["session.created", "session.updated"]
    assert told[-1].transcript == SAID and told[-1].directed_probability == 0.9
