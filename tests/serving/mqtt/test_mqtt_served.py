"""`turbo-serve --mqtt`: from sound that a Wyoming client brings to the broker, and what it says
when the broker wants nothing of it."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

for library in ("aiomqtt", "wyoming"):
    pytest.importorskip(library, reason="needs the serve extra")

import paho.mqtt.publish as publish
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncClient

from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.support.needs import needs
from tests.support.paths import ROOT
from turbo_stream.cli.command import run_command
from turbo_stream.cli.serve import serve

pytestmark = [pytest.mark.slow, needs("mosquitto")]

NODE = "turbo_stream/kitchen"
WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"
SERVE = [sys.executable, "-m", "turbo_stream.cli.serve", "--asr", str(WHISPER), "--port", "0"]


@contextmanager
def turbo_serve(
    socket: Path, broker: Broker, said: list[str], *options: str
) -> Iterator[subprocess.Popen[str]]:
    mqtt = ["--mqtt", f"mqtt://127.0.0.1:{broker.port}", "--mqtt-node", "kitchen"]
    command = [*SERVE, "--wyoming", f"unix://{socket}", "--show-rejected", *mqtt, *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        hearing = threading.Thread(target=lambda: said.extend(process.stderr))
        hearing.start()
        try:
            yield process
        finally:
            process.kill()
            hearing.join()


def ask(socket: Path, pcm) -> str:
    async def converse() -> str:
        async with AsyncClient.from_uri(f"unix://{socket}") as client:
            await client.write_event(AudioChunk(16_000, 2, 1, pcm.tobytes()).event())
            await client.write_event(AudioStop().event())
            while not Transcript.is_type((event := await client.read_event()).type):
                pass
            return Transcript.from_event(event).text

    return asyncio.run(converse())


def test_what_clients_say_reaches_the_broker_and_what_is_rejected_does_not(
    tmp_path, kitchen_pcm, kitchen_spans
) -> None:
    path, said = tmp_path / "ears.sock", []
    with Broker(tmp_path, "allow_anonymous true") as broker, Onlooker(broker.port) as onlooker:

        def states() -> list[str]:
            return [json.loads(payload)["state"] for payload in onlooker.on(f"{NODE}/state")]

        with turbo_serve(path, broker, said) as process:
            until(lambda: states() == ["listening"], wait_s=120)
            assert ask(path, kitchen_pcm[4 * 16_000 : 8 * 16_000]) == ""
            assert ask(path, kitchen_pcm[: 4 * 16_000]) == "Turn on the kitchen lights."
            until(lambda: onlooker.on(f"{NODE}/utterance"))
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            until(lambda: states()[-1] == "unavailable")
    (letter,) = map(json.loads, onlooker.on(f"{NODE}/utterance"))
    assert letter["text"] == "Turn on the kitchen lights." and letter["stream"] == "wyoming-1"
    assert "speech" in states()
    counters = json.loads(onlooker.on(f"{NODE}/counters")[-1])
    assert (counters["accepted"], counters["rejected"]) == (1, 1)
    everything = " ".join([*said, *(payload for _, payload, _ in onlooker.seen)]).lower()
    words = {word for word in kitchen_spans[1]["text"].lower().split() if len(word) > 4}
    assert words and not {word for word in words if word in everything}


def test_a_server_is_told_over_mqtt_that_no_name_is_needed(tmp_path, kitchen_pcm) -> None:
    path, said = tmp_path / "ears.sock", []
    command = kitchen_pcm[: 4 * 16_000]
    with (
        Broker(tmp_path, "allow_anonymous true") as broker,
        Onlooker(broker.port) as onlooker,
        turbo_serve(path, broker, said, "--name", "friday") as process,
    ):
        until(lambda: onlooker.on(f"{NODE}/address") == ["named"], wait_s=120)
        assert ask(path, command) == ""
        publish.single(f"{NODE}/address/set", "open", qos=1, port=broker.port)
        until(lambda: onlooker.on(f"{NODE}/address") == ["named", "open"])
        assert ask(path, command) == "Turn on the kitchen lights."
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert [line for line in said if "--address is open" in line], said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--mqtt", "http://me:secret@pi"], "mqtt[s]://"),
        (["--mqtt-node", "kitchen"], "--mqtt-node was given without --mqtt;"),
        (["--wyoming", "tcp://nowhere"], "tcp://HOST:PORT"),
        (["--wyoming", "unix:///tmp/ears.sock", "--zeroconf"], "--zeroconf"),
        (["--zeroconf", "kitchen"], "give both"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(options, named: str, capsys) -> None:
    assert run_command(serve, ["--port", "0", *options]) == 2
    output = capsys.readouterr()
    assert named in output.err.splitlines()[-1]
    assert "secret" not in output.err and not output.out


def test_a_broker_that_refuses_ends_the_server_with_status_1(tmp_path) -> None:
    with Broker(tmp_path, "allow_anonymous false") as broker:
        uri = f"mqtt://me:secret@127.0.0.1:{broker.port}"
        done = subprocess.run([*SERVE, "--mqtt", uri], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "Not authorized" in done.stderr.splitlines()[-1], done.stderr
    assert "secret" not in done.stderr and "Traceback" not in done.stderr


def test_without_the_broker_it_serves_says_so_once_and_is_there_when_that_comes(
    tmp_path, kitchen_pcm
) -> None:
    path, said = tmp_path / "ears.sock", []
    broker = Broker(tmp_path, "allow_anonymous true")
    command = kitchen_pcm[: 4 * 16_000]
    with turbo_serve(path, broker, said) as process:
        until(lambda: any("not there yet" in line for line in said), wait_s=120)
        assert ask(path, command) == "Turn on the kitchen lights.", "served all the same"
        with broker, Onlooker(broker.port) as onlooker:
            # What was accepted meanwhile waited.
            until(lambda: onlooker.on(f"{NODE}/utterance"), wait_s=90)
            until(lambda: onlooker.on(f"{NODE}/mute") == ["OFF"])
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    told = [line for line in said if "the MQTT broker" in line]
    assert ["not there yet" in line for line in told] == [True, False], said
    assert "is there; accepted utterances that waited: 1" in told[1]
