"""The Wyoming server, asked by the library's own client over real sockets."""

import asyncio
import socket
import time
from contextlib import closing

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping

import turbo_stream
from tests.serving.wyoming.running_service import Running, running
from tests.serving.wyoming.wyoming_client import ask, information, kinds, read_until, request, text
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.wyoming._address import parse_wyoming_uri
from turbo_stream.serving.wyoming._service import WyomingService

SECOND = 16_000


@pytest.fixture(scope="module")
def server(listener):
    with running(listener) as server:
        yield server


@pytest.fixture(scope="module")
def command(kitchen_pcm: np.ndarray) -> np.ndarray:
    """`Turn on the kitchen lights.`, to the device; speech from 1.11 s to 2.95 s."""
    return kitchen_pcm[: 4 * SECOND]


@pytest.fixture(scope="module")
def side_talk(kitchen_pcm: np.ndarray) -> np.ndarray:
    """Two people with each other."""
    return kitchen_pcm[4 * SECOND : 12 * SECOND]


def test_it_says_what_it_is(server: Running) -> None:
    info = Info.from_event(asyncio.run(information(server.uri)))
    (program,) = info.asr
    (model,) = program.models
    assert program.name == "turbo_stream" and model.name == "whisper:whisper-kitchen"
    assert program.supports_transcript_streaming
    assert program.installed and model.installed and model.languages == ["en"]
    assert program.version == model.version == turbo_stream.__version__
    assert program.attribution.name and model.attribution.url.startswith("https://")
    assert not (info.tts or info.wake or info.handle or info.intent or info.satellite)


def test_accepted_speech_is_transcribed_and_its_edges_are_told(server, command) -> None:
    answers = asyncio.run(ask(server.uri, request(command)))
    started, stopped, *_, transcript = [event for event in answers if event.type != "pong"]
    assert (started.type, stopped.type) == ("voice-started", "voice-stopped")
    assert started.data == {"timestamp": 1110} and stopped.data["timestamp"] in range(2900, 3000)
    assert Transcript.from_event(transcript) == Transcript(
        "Turn on the kitchen lights.", language="en"
    )


def test_times_are_the_clients_own(server: Running, command: np.ndarray) -> None:
    answers = asyncio.run(ask(server.uri, request(command, timestamp=60_000)))
    assert [event.data["timestamp"] // 1000 for event in answers[:2]] == [61, 62]


def test_rejected_speech_is_answered_with_nothing(server: Running, side_talk: np.ndarray) -> None:
    answers = asyncio.run(ask(server.uri, request(side_talk)))
    assert text(answers) == "" and kinds(answers) == ["transcript"]
    assert [event.type for event in answers].count("voice-stopped") == 2


def test_of_several_utterances_the_accepted_ones_are_returned(server, kitchen_pcm) -> None:
    answers = asyncio.run(ask(server.uri, request(kitchen_pcm[: 16 * SECOND])))
    assert text(answers) == "Turn on the kitchen lights. Set a timer for ten minutes."


def test_accepted_texts_are_told_one_by_one_and_nothing_of_others(server, kitchen_pcm) -> None:
    """An accepted command, two rejected utterances, another command."""
    events = request(kitchen_pcm[: 16 * SECOND])
    answers = asyncio.run(ask(server.uri, events, until="transcript-stop"))
    told = [event for event in answers if event.type.startswith("transcript")]
    start, first, second, whole, stop = told
    assert TranscriptStart.from_event(start).language == "en" and TranscriptStop.is_type(stop.type)
    chunks = [TranscriptChunk.from_event(event).text for event in (first, second)]
    assert chunks == ["Turn on the kitchen lights.", " Set a timer for ten minutes."]
    assert Transcript.from_event(whole).text == "".join(chunks)
    kinds_of_all = [event.type for event in answers]
    between = kinds_of_all[kinds_of_all.index("transcript-chunk") : answers.index(second)]
    assert between.count("voice-stopped") == 3, "the first is told before the others are heard"


def test_what_is_answered_with_nothing_has_a_beginning_and_an_end(server, side_talk) -> None:
    for pcm in (side_talk, side_talk[:0]):
        answers = asyncio.run(ask(server.uri, request(pcm), until="transcript-stop"))
        assert kinds(answers, ("voice-", "pong")) == [
            "transcript-start",
            "transcript",
            "transcript-stop",
        ]
        assert text(answers) == ""


def test_voice_and_text_are_told_while_audio_comes_in(server: Running, command: np.ndarray) -> None:
    async def converse() -> None:
        async with AsyncClient.from_uri(server.uri) as client:
            for event in request(command)[:-1]:
                await client.write_event(event)
            heard = await read_until(client, "transcript-chunk")
            assert kinds(heard, "pong") == [
                "voice-started",
                "voice-stopped",
                "transcript-start",
                "transcript-chunk",
            ]
            await client.write_event(AudioStop().event())
            assert text(await read_until(client, "transcript"))

    asyncio.run(converse())


@pytest.mark.parametrize(
    ("rate", "width", "channels"), [(48_000, 2, 2), (44_100, 4, 1), (22_050, 3, 1), (8_000, 1, 2)]
)
def test_any_format_is_heard(server, command, rate: int, width: int, channels: int) -> None:
    import soxr

    mono = soxr.resample(command.astype(np.float64) / 32768, SECOND, rate)
    # One channel may be silent, so that keeping a single one would show.
    frames = np.stack([mono] + [np.zeros_like(mono)] * (channels - 1), axis=1)
    whole = np.rint(np.clip(frames, -1, 1 - 2**-31) * 2 ** (8 * width - 1)).astype(np.int64)
    if width == 1:
        whole += 128
    audio = whole.reshape(-1, 1).astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes()
    # Cut where no sample ends.
    sizes = range(0, len(audio), 4099)
    events = [AudioChunk(rate, width, channels, audio[i : i + 4099]).event() for i in sizes]
    assert text(asyncio.run(ask(server.uri, [*events, AudioStop().event()]))) in (
        "Turn on the kitchen lights.",
        # Through a telephone's 8 bits at 8 kHz it may hear something else, but not nothing.
        "Turn off the kitchen lights.",
    )


def test_silence_and_nothing_are_answered_too(server: Running) -> None:
    silence = request(np.zeros(SECOND, np.int16))
    for events in (silence, [AudioStart(SECOND, 2, 1).event(), AudioStop().event()]):
        *_, answer = asyncio.run(ask(server.uri, events))
        assert answer.type == "transcript" and answer.data["text"] == ""


@pytest.mark.slow
def test_one_connection_may_ask_again_and_is_closed_when_it_does_not(server, command) -> None:
    async def converse() -> list[str]:
        async with AsyncClient.from_uri(server.uri) as client:
            await client.write_event(Ping("are you there").event())
            for _ in range(2):
                for event in (*request(command), Describe().event()):
                    await client.write_event(event)
                await asyncio.sleep(0)
            return kinds(await read_until(client, None))

    answers = asyncio.run(converse())
    assert sorted(answers) == ["info", "info", "pong", "transcript", "transcript"]
    assert answers[0] == "pong" and answers.index("info") > answers.index("transcript")


def test_many_at_once_get_each_their_own_answer(server, command, side_talk) -> None:
    async def crowd() -> list[list[Event]]:
        sounds = [command, side_talk] * 5
        return await asyncio.gather(*(ask(server.uri, request(sound)) for sound in sounds))

    answers = [text(events) for events in asyncio.run(crowd())]
    assert answers == ["Turn on the kitchen lights.", ""] * 5


@pytest.mark.slow
def test_who_falls_silent_is_answered_and_closed(listener, command) -> None:
    async def never_stop(uri: str) -> tuple[list[Event], list[Event]]:
        unstopped = ask(uri, request(command)[:-1], until=None)
        return await asyncio.gather(unstopped, ask(uri, [], until=None))

    with running(listener, limits=Limits(idle_s=1.5)) as server:
        answers, nothing = asyncio.run(never_stop(server.uri))
    assert text(answers) == "Turn on the kitchen lights." and nothing == []


def test_a_stream_that_is_too_long_is_answered_once(listener, kitchen_pcm) -> None:
    async def converse(uri: str) -> list[str]:
        async with AsyncClient.from_uri(uri) as client:
            for event in request(kitchen_pcm[: 8 * SECOND]):
                await client.write_event(event)
            first = kinds(await read_until(client, "transcript"))
            await client.write_event(Ping().event())
            return first + kinds(await read_until(client, "pong"))

    with running(listener, limits=Limits(stream_s=4.0)) as server:
        assert asyncio.run(converse(server.uri)) == ["transcript", "pong"]


def test_who_leaves_in_mid_speech_leaves_nothing_behind(listener, command) -> None:
    with running(listener) as server:
        asyncio.run(ask(server.uri, request(command)[:30], until="voice-started"))
        gives_up_s = time.monotonic() + 30
        while server.hub.counts.open_streams and time.monotonic() < gives_up_s:
            time.sleep(0.01)
        assert (server.hub.counts.streams, server.hub.counts.open_streams) == (1, 0)


def test_more_clients_than_there_is_room_for_are_told(listener, command) -> None:
    async def crowd(uri: str) -> list[Event]:
        async with AsyncClient.from_uri(uri) as first:
            for event in request(command)[:-1]:
                await first.write_event(event)
            await read_until(first, "voice-started")
            refused = await ask(uri, [Describe().event()], until=None)
            await first.write_event(AudioStop().event())
            assert text(await read_until(first, "transcript"))
            return refused

    with running(listener, limits=Limits(clients=1)) as server:
        (error,) = asyncio.run(crowd(server.uri))
    assert error.type == "error" and error.data["code"] == "full" and "later" in error.data["text"]


BROKEN = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\xff\xfe\x00\n",
    b"[1, 2]\n",
    b"null\n",
    b'{"type": 7}\n',
    b'{"data": {}}\n',
    b'{"type": "audio-chunk", "data_length": 3}\n[1]',
    b'{"type": "audio-chunk", "data": null, "data_length": "many"}\n',
    b'{"type": "audio-chunk", "payload_length": 99999999999}\n' + b"x" * 100,
    b'{"type": "audio-chunk", "payload_length": 10}\nshort',
    b"[" * 60_000 + b"\n",
    b"x" * 200_000,
]


@pytest.mark.parametrize("sent", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_event_ends_its_connection_and_no_other(server, sent: bytes) -> None:
    address = server.service.address
    with closing(socket.create_connection((address.host, address.port), 30)) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert asyncio.run(information(server.uri)).type == "info"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"rate": 0, "width": 2, "channels": 1},
        {"rate": 16_000, "width": 5, "channels": 1},
        {"rate": "16k", "width": 2, "channels": 1},
        {"rate": 16_000, "width": 2, "channels": 10**9},
    ],
)
def test_a_chunk_without_a_usable_format_is_told(server: Running, data: dict) -> None:
    event = Event("audio-chunk", data, b"\0" * 64)
    (error,) = asyncio.run(ask(server.uri, [event], until=None))
    assert error.type == "error" and error.data["code"] == "format"
    assert "\n" not in error.data["text"]


def test_events_it_does_not_know_are_ignored(server: Running, command: np.ndarray) -> None:
    strange = [Event("play-chess", {"move": "e4"}, b"board"), Event("")]
    assert text(asyncio.run(ask(server.uri, strange + request(command)))) != ""


def test_an_ending_server_answers_what_it_has_heard(listener, command) -> None:
    async def converse(server: Running) -> list[Event]:
        async with AsyncClient.from_uri(server.uri) as client, AsyncClient.from_uri(server.uri):
            for event in (*request(command)[:-1], Ping().event()):
                await client.write_event(event)
            first = await read_until(client, "pong")
            await asyncio.to_thread(server.drain)
            return first + await read_until(client, None)

    with running(listener) as server:
        assert text(asyncio.run(converse(server))) == "Turn on the kitchen lights."


def test_a_unix_socket_serves_and_goes_away_with_the_server(listener, command, tmp_path) -> None:
    path = tmp_path / "ears.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    with running(listener, f"unix://{path}") as server:
        assert text(asyncio.run(ask(server.uri, request(command)))) != ""
        for options, error, named in [
            ({}, TurboStreamError, "another process"),
            ({"announce": "ears"}, InputError, "tcp:// only"),
            ({"announce": "é" * 32}, InputError, "63 bytes"),
            ({"announce": "two\nlines"}, InputError, "printable"),
        ]:
            with pytest.raises(error, match=named), running(listener, server.uri, **options):
                pass
    assert not path.exists()


def test_a_taken_port_and_an_unknown_host_are_told_at_once(server: Running, tmp_path) -> None:
    from turbo_stream.serving.wyoming._address import parse_wyoming_uri
    from turbo_stream.serving.wyoming._service import WyomingService

    for uri, error, named in [
        (server.uri, TurboStreamError, "in use"),
        ("tcp://no-such-host.invalid:1", InputError, "not known"),
        ("tcp://two..dots:1", InputError, "not known"),
        (f"unix://{tmp_path}/none/ears.sock", InputError, "No such file"),
        (f"unix://{tmp_path}", InputError, "in use"),
    ]:
        with pytest.raises(error, match=named) as caught:
            WyomingService(parse_wyoming_uri(uri))
        assert "\n" not in str(caught.value)


def test_a_server_without_a_recognizer_is_refused() -> None:
    from turbo_stream.pipeline import Models
    from turbo_stream.settings import Settings

    async def serve() -> None:
        hub = Hub()
        hub.load(Models.load(Settings(asr="none")))
        await WyomingService(parse_wyoming_uri("tcp://127.0.0.1:0")).run(hub)

    with pytest.raises(InputError, match="recognizer"):
        asyncio.run(serve())
