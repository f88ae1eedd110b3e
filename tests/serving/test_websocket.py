"""`/ws`: the events of turbo-listen, and a reason for whoever is sent away."""

import json
import socket
import threading
import time
from contextlib import ExitStack, suppress

import numpy as np
import pytest

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.served import Served, closed_with, send, served, shared_models, undetailed
from turbo_stream import Models, Settings
from turbo_stream.serving.limits import Limits


@pytest.fixture(scope="module")
def server():
    with served(shared_models()) as running:
        yield running


def utterances(events: list[dict]) -> list[dict]:
    return [event for event in events if event["event"] == "utterance"]


def test_the_events_are_those_of_the_core(server: Served, excerpt: np.ndarray) -> None:
    from turbo_stream.audio.source import Block

    events = server.hear(excerpt)
    expected = [event.to_json() for event in shared_models().stream().run([Block(excerpt)])]
    assert undetailed(events) == undetailed(json.loads(json.dumps(expected)))
    assert len(utterances(events)) == 3


def in_order(events: list[dict]) -> list[dict]:
    """Starts first: whether one comes before the decision before it is a matter of speed."""
    return sorted(undetailed(events), key=lambda event: event["event"] != "speech_started")


@pytest.mark.slow
def test_clients_side_by_side_hear_their_own_sound(server: Served, kitchen_pcm) -> None:
    parts = [kitchen_pcm[i * 80_000 : i * 80_000 + 96_000] for i in range(8)]
    alone = [in_order(server.hear(part)) for part in parts]
    together: dict[int, list[dict]] = {}

    def hear(index: int) -> None:
        together[index] = in_order(server.hear(parts[index]))

    threads = [threading.Thread(target=hear, args=(i,)) for i in range(len(parts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [together.get(i) for i in range(len(parts))] == alone
    assert server.hub.counts.open_streams == 0


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        (b"\0" * 321, 1007, "321 bytes ends in half a sample"),
        (b"\x1a\x45\xdf\xa3" + bytes(320), 1007, "begins like a WebM or Matroska file"),
        ("hello", 1007, "JSON object"),
        ("[" * 100_000, 1007, "JSON object"),
        ("[]", 1008, "unknown message"),
        ('{"type":"dance"}', 1008, 'known: {"type":"end"}'),
        ('{"type":"end","now":true}', 1008, "unknown message"),
        ('{"type":"said","text":7}', 1008, "unknown message"),
        ('{"type":"said"}', 1008, "unknown message"),
        ('{"type":"said","text":"' + "x" * 2001 + '"}', 1008, "2000 characters"),
        ('{"type":"set","threshold":2}', 1008, "threshold is 2"),
        ('{"type":"set","threshold":"much"}', 1008, "unknown message"),
        ('{"type":"set","threshold":true}', 1008, "unknown message"),
        ('{"type":"set","threshold":NaN}', 1008, "threshold is nan"),
        ('{"type":"set","threshold":1e999}', 1008, "threshold is inf"),
        ('{"type":"set","threshold":1' + "0" * 400 + "}", 1008, "threshold is inf"),
        ('{"type":"set","threshold":1' + "0" * 5000 + "}", 1008, "threshold is inf"),
        (b"\0" * 300_000, 1009, "exceeds limit"),
        ('{"type":"' + "x" * 300_000, 1009, "exceeds limit"),
    ],
)
def test_what_is_no_sound_is_told_in_one_line(server, excerpt, message, code, reason) -> None:
    with server.connect() as client, server.connect() as other:
        client.send(message)
        found, why = closed_with(client)
        assert (found, len(why.splitlines())) == (code, 1) and reason in why
        send(other, excerpt[:64_000])
        assert utterances([json.loads(text) for text in other])


def test_broken_frames_are_closed(server: Served) -> None:
    """A reserved opcode, a frame without a mask, text that is no UTF-8: below our own code."""
    for frame, code in (
        (b"\x83\x80\0\0\0\0", 1002),
        (b"\x82\x02ab", 1002),
        (b"\x81\x81\0\0\0\0\xff", 1007),
    ):
        with server.connect() as client:
            client.recv()
            client.socket.sendall(frame)
            assert closed_with(client)[0] == code


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("?threshold=1.5", "threshold is 1.5"),
        ("?threshold=nan", "threshold is nan"),
        ("?threshold=1" + "0" * 400, "threshold is inf"),
        ("?threshold=true", "number from 0 to 1"),
        ("?threshold=0.5x", "number from 0 to 1"),
        ("?threshold=0_5", "number from 0 to 1"),
        ("?threshold=", "number from 0 to 1"),
        ("?threshold=high", "number from 0 to 1"),
        ("?show_rejected=1", "show_rejected"),
        ("?partials=maybe", "partials has to be 0 or 1"),
        ("?colour=red", "unknown option"),
        ("?name=friday", "has no use for them"),
        ("?name=" + "x" * 65, "up to 8 names"),
        ("?" + "&".join(["name=x"] * 9), "up to 8 names"),
    ],
)
def test_options_that_cannot_be_had(server: Served, query: str, reason: str) -> None:
    with server.connect(query) as client:
        code, why = closed_with(client)
        assert code == 1008 and reason in why


def test_a_client_has_a_threshold_of_its_own(server: Served, excerpt: np.ndarray) -> None:
    accepted = server.hear(excerpt, "?threshold=0&partials=0")
    rejected = server.hear(excerpt, "?threshold=1")
    assert accepted[0]["threshold"] == 0 and rejected[0]["threshold"] == 1
    assert {u["decision"] for u in utterances(accepted)} == {"accepted"}
    assert {u["decision"] for u in utterances(rejected)} == {"rejected"}
    assert {u["text"] for u in utterances(rejected)} == {None}


def test_a_clients_device_has_names_of_its_own(excerpt: np.ndarray) -> None:
    settings = Settings(asr=ScriptedRecognizer("friday, the lights"), names=("computer",))
    with served(Models.load(settings)) as server:
        heard = {
            query: server.hear(excerpt[:64_000], query)
            for query in ("", "?name=friday&name=robot", "?name=computer")
        }
    (named, other) = (heard["?name=friday&name=robot"], heard[""])
    assert named[0]["names"] == ["friday", "robot"] and other[0]["names"] == ["computer"]
    probabilities = {
        query: [u["directed_probability"] for u in utterances(events)]
        for query, events in heard.items()
    }
    assert probabilities[""] == probabilities["?name=computer"]
    assert probabilities[""] != probabilities["?name=friday&name=robot"]


def test_the_threshold_may_be_moved_while_sound_goes_on(server, excerpt) -> None:
    with server.connect("?threshold=0") as client:
        send(client, excerpt[:64_000], end=False)
        while (first := json.loads(client.recv()))["event"] != "utterance":
            pass
        client.send('{"type":"set","threshold":1}')
        send(client, excerpt[64_000:])
        later = utterances([json.loads(text) for text in client])
    assert first["decision"] == "accepted"
    assert later and {(u["decision"], u["threshold"]) for u in later} == {("rejected", 1.0)}


@pytest.mark.slow
def test_rejected_text_goes_out_only_where_the_server_was_started_so(excerpt) -> None:
    detector = LoudnessDetector(always=0.1)
    with served(shared_models(detector=detector, show_rejected=True)) as server:
        assert {u["text"] for u in utterances(server.hear(excerpt))} == {"turn on the lights"}
        assert {u["text"] for u in utterances(server.hear(excerpt, "?show_rejected=0"))} == {None}
    with served(shared_models(detector=detector)) as server:
        assert {u["text"] for u in utterances(server.hear(excerpt))} == {None}


def test_one_client_more_than_there_is_room_for(excerpt) -> None:
    with served(shared_models(), Limits(clients=2)) as server:
        with server.connect() as first, server.connect():
            first.recv()
            with server.connect() as third:
                assert closed_with(third) == (1013, "all 2 streams are in use; connect again later")
            send(first, excerpt[:64_000])
            assert utterances([json.loads(text) for text in first])
        wait_until(lambda: server.hub.counts.open_streams == 0)
        assert utterances(server.hear(excerpt[:64_000])), "there is room again"


def test_whoever_sends_nothing_is_closed() -> None:
    with served(shared_models(), Limits(idle_s=0.2)) as server, server.connect() as client:
        assert closed_with(client) == (1008, "nothing was sent for 0.2 s")


def test_a_stream_that_is_too_long_is_closed(excerpt) -> None:
    with served(shared_models(), Limits(stream_s=2)) as server, server.connect() as client:
        send(client, excerpt)
        assert closed_with(client) == (1008, "a stream may be 2 s long")


def test_models_that_are_still_loading() -> None:
    with served(None) as server, server.connect() as client:
        code, why = closed_with(client)
        assert code == 1013 and "still being loaded" in why


@pytest.mark.slow
def test_a_client_that_does_not_read_is_closed_and_the_others_go_on(kitchen_pcm, excerpt) -> None:
    """Long texts fill what the kernel keeps for a client that reads nothing."""
    recognizer, detector = ScriptedRecognizer("word " * 8000), LoudnessDetector(always=0.9)
    models = shared_models(recognizer, detector, partials=False)
    limits = Limits(unread_s=0.3)
    with served(models, limits, send_buffer=4096) as server:
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        # A queue of one message: then the library does not read any more either.
        with server.connect(sock=deaf, max_queue=1) as client:
            sender = threading.Thread(target=send, args=(client, kitchen_pcm), daemon=True)
            sender.start()
            wait_until(lambda: server.hub.metrics.page().count(b'reason="unread"'))
            assert len(utterances(server.hear(excerpt))) == 3
            assert closed_with(client) == (1008, "events were not read for 0.3 s")


def test_a_client_that_vanishes_leaves_nothing_behind(server: Served, excerpt) -> None:
    with server.connect() as gone, server.connect() as half:
        for client in (gone, half):
            send(client, excerpt[:48_000], end=False)
        gone.socket.close()
        half.socket.shutdown(socket.SHUT_WR)  # half-closed: it could still read
        wait_until(lambda: server.hub.counts.open_streams == 0)


def test_a_flood_is_read_no_faster_than_the_rate(excerpt) -> None:
    """Empty messages cost, too; a well-behaved client beside them is served."""
    with served(shared_models(), Limits(rate=8)) as server, server.connect() as flood:
        started = time.monotonic()
        for _ in range(1000):
            flood.send(b"")
        assert utterances(server.hear(excerpt[:64_000]))
        flood.send('{"type":"end"}')
        assert closed_with(flood)[0] == 1000
        assert time.monotonic() - started > (1000 * 0.01 - 2) / 8


def test_what_was_heard_is_told_before_the_server_ends(excerpt) -> None:
    with ExitStack() as stack:
        with served(shared_models()) as server:
            client = stack.enter_context(server.connect())
            send(client, excerpt[:32_000], end=False)  # in the middle of an utterance
            while json.loads(client.recv())["event"] != "speech_started":
                pass
        events = [json.loads(text) for text in client]
    assert [event["event"] for event in events] == ["utterance", "finished"]
    assert client.close_code == 1001


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_flood_below_messages_is_closed(server: Served, excerpt) -> None:
    """Pings, and a message that never ends: neither is seen by our own code."""
    ping = b"\x89\x80\0\0\0\0"
    endless = b"\x02\x80\0\0\0\0" + b"\0\x80\0\0\0\0" * 3000
    for frames, reason in ((ping * 3000, "too many pings"), (endless, "too many fragments")):
        with server.connect() as client:
            client.recv()
            client.socket.sendall(frames)
            assert closed_with(client) == (1008, reason)
    assert utterances(server.hear(excerpt[:64_000]))


def test_connections_that_ask_for_nothing_are_closed(monkeypatch) -> None:
    monkeypatch.setattr("turbo_stream.serving._listener.PATIENCE_S", 0.2)
    with served(shared_models()) as server, ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            for _ in range(50)
        ]
        silent[0].sendall(b"GET / HTTP/1.1\r\nHost: local")
        with server.connect() as client:
            assert json.loads(client.recv())["event"] == "ready"
            for one in silent:
                with suppress(ConnectionError):
                    assert one.recv(1) == b""
            send(client, np.zeros(1600, np.int16))
            assert json.loads(client.recv())["event"] == "finished", "it is a WebSocket by now"
