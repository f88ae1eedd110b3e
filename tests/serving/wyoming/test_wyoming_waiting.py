"""A client that waits for its answer gets the text however long it takes, or an error: never an
empty transcript of speech that was accepted."""

import asyncio
import threading
import time

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")

from wyoming.client import AsyncClient
from wyoming.event import Event

from tests.serving.wyoming.running_service import running
from tests.serving.wyoming.wyoming_client import ask, kinds, read_until, request, text
from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.served import shared_models
from turbo_stream.live.live_pipeline import LiveConfig
from turbo_stream.recognition.recognizer import NOT_HEARD
from turbo_stream.serving import hub as hub_module
from turbo_stream.serving.limits import Limits

SECOND = 16_000


class Unable(ScriptedRecognizer):
    """Cannot tell what was said."""

    def transcribe(self, pcm):
        return NOT_HEARD


class Slow(ScriptedRecognizer):
    """Takes longer than a live stream would wait."""

    wait_s = 0.5

    def transcribe(self, pcm):
        threading.Event().wait(self.wait_s)
        return super().transcribe(pcm)


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Live streams give a text up after 0.1 s."""
    monkeypatch.setattr(hub_module, "LiveConfig", lambda **given: LiveConfig(1, 1, 0.1, **given))


def accepting(recognizer: ScriptedRecognizer, **options):
    return shared_models(recognizer, LoudnessDetector(always=0.9), partials=False, **options)


def answers(models, pcm: np.ndarray, limits: Limits | None = None) -> list[Event]:
    with running(models, limits=limits) as server:
        return asyncio.run(ask(server.uri, request(pcm)))


@pytest.mark.slow
def test_a_slow_recognizer_is_waited_for(impatient, excerpt: np.ndarray) -> None:
    said = answers(accepting(Slow("lights on")), excerpt)
    assert kinds(said) == ["transcript"]
    assert text(said) == "lights on lights on lights on", "three utterances, none skipped"


@pytest.mark.slow
def test_a_client_that_sends_by_the_clock_loses_nothing_either(impatient, excerpt) -> None:
    async def converse(uri: str) -> list[Event]:
        async with AsyncClient.from_uri(uri) as client:
            begun_s = time.monotonic()
            for number, event in enumerate(request(excerpt)):
                await client.write_event(event)
                await asyncio.sleep(begun_s + number * 1024 / SECOND - time.monotonic())
            return await read_until(client, None)

    slow = Slow("lights on")
    slow.wait_s = 3.5
    with running(accepting(slow)) as server:
        assert text(asyncio.run(converse(server.uri))) == "lights on lights on lights on"


@pytest.mark.parametrize(
    ("recognizer", "detector"),
    [
        (ScriptedRecognizer(error=RuntimeError("broken")), LoudnessDetector(always=0.9)),
        (Unable(), LoudnessDetector(always=0.9)),
        (ScriptedRecognizer(), LoudnessDetector(error=RuntimeError("broken"))),
    ],
    ids=["recognizer failed", "empty text accepted", "detector failed"],
)
def test_speech_without_a_text_is_an_error_and_the_connection_is_over(
    recognizer, detector, excerpt
) -> None:
    said = answers(shared_models(recognizer, detector, partials=False), excerpt[: 4 * SECOND])
    (error,) = [event for event in said if not event.type.startswith("voice-")]
    assert error.type == "error" and error.data["code"] == "no_text"


def test_a_bound_that_passes_is_an_error(monkeypatch, excerpt) -> None:
    monkeypatch.setattr(hub_module, "ANSWER_S", 0.1)
    assert kinds(answers(accepting(Slow()), excerpt[: 4 * SECOND])) == ["error"]


def test_half_a_command_is_no_command(excerpt) -> None:
    class Stumbling(ScriptedRecognizer):
        def transcribe(self, pcm):
            self.error = RuntimeError("broken") if self.calls == 1 else None
            return super().transcribe(pcm)

    assert kinds(answers(accepting(Stumbling()), excerpt)) == ["error"]


def test_rejected_speech_is_answered_with_nothing_whatever_failed(excerpt) -> None:
    models = shared_models(
        ScriptedRecognizer(error=RuntimeError("broken")), LoudnessDetector(always=0.1)
    )
    said = answers(models, excerpt[: 4 * SECOND])
    assert kinds(said) == ["transcript"] and text(said) == ""


def test_a_server_that_ends_before_the_text_says_so(excerpt) -> None:
    async def converse(server) -> list[Event]:
        async with AsyncClient.from_uri(server.uri) as client:
            for event in request(excerpt[: 4 * SECOND]):
                await client.write_event(event)
            await read_until(client, "voice-started")
            await asyncio.to_thread(server.drain)
            return await read_until(client, None)

    recognizer = ScriptedRecognizer(release=threading.Event())
    with running(accepting(recognizer), limits=Limits(drain_s=0.3)) as server:
        threading.Timer(2.0, recognizer.release.set).start()
        assert "transcript" not in (said := kinds(asyncio.run(converse(server)))) and said
