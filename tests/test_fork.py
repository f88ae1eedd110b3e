"""What a forked process does with models of the process before: it says so, and does not hang."""

import multiprocessing
import os
import subprocess
import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from tests.support.fakes import make_pipeline
from tests.support.paths import ROOT
from tests.support.tiny_package import write_package
from turbo_stream import Listener, LivePipeline, Models, Pipeline, PushSource, Settings
from turbo_stream.errors import ForkError, TurboStreamError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
]

WHISPER = str(ROOT / "tests" / "assets" / "whisper-kitchen")
LONGEST_S = 30


def forked(work: Callable[[], object]) -> str:
    """Return what `work` raises or returns in a forked process."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)

    def child() -> None:
        try:
            there.send(repr(work()))
        except TurboStreamError as error:
            there.send(f"{type(error).__name__}: {error}")
        there.close()

    process = context.Process(target=child)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork: the very point
        process.start()
    there.close()
    try:
        assert here.poll(LONGEST_S), "the forked process hangs"
        answer = here.recv()
        process.join(LONGEST_S)
        assert process.exitcode == 0, "the forked process does not end"
        return answer
    finally:
        process.kill()


def assert_told(answer: str) -> None:
    assert answer.startswith("ForkError: "), answer
    assert f"of process {os.getpid()} cannot be used in process" in answer
    assert "load the models after the fork" in answer and "\n" not in answer


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    package = write_package(tmp_path_factory.mktemp("models") / "tiny")
    return Models.load(Settings(package, asr=WHISPER))


def test_a_stream_of_the_process_before(models: Models, excerpt: np.ndarray) -> None:
    stream = models.stream()
    before = [event.kind for event in stream.process(excerpt) + stream.flush()]
    assert "utterance" in before
    stream.reset()
    for use in (
        lambda: stream.process(excerpt),
        lambda: stream.flush(),
        lambda: stream.gap(100, "lost"),
        lambda: next(stream.run(PushSource())),
        lambda: next(LivePipeline(stream, PushSource()).run()),
        lambda: Listener(stream, PushSource(), print).wait(LONGEST_S),
    ):
        assert_told(forked(use))
    assert [event.kind for event in stream.process(excerpt) + stream.flush()] == before


def test_a_new_stream_over_models_of_the_process_before(models: Models) -> None:
    assert_told(forked(models.stream))


def test_a_recognizer_of_the_process_before(models: Models, excerpt: np.ndarray) -> None:
    assert_told(forked(lambda: models.recognizer.transcribe(excerpt)))
    assert_told(forked(lambda: Pipeline.load(models.settings.model, asr=models.recognizer)))


def test_pocketsphinx_of_the_process_before(excerpt: np.ndarray) -> None:
    from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer

    recognizer = PocketSphinxRecognizer()
    try:
        recognizer.warm_up()
        text = recognizer.transcribe(excerpt[:32_000]).text
        assert_told(forked(lambda: recognizer.transcribe(excerpt[:32_000])))
        # Its process still serves the one that started it.
        assert recognizer.transcribe(excerpt[:32_000]).text == text
    finally:
        recognizer.close()


def test_a_live_run_that_is_read_on_in_a_forked_process() -> None:
    source = PushSource()
    events = LivePipeline(make_pipeline(), source).run()
    assert next(events).kind == "ready"
    assert_told(forked(lambda: next(events)))
    source.end()
    assert [event.kind for event in events] == ["finished"]


def test_a_forked_process_that_uses_nothing_ends() -> None:
    script = (
        "import os, sys\n"
        "from turbo_stream.recognition.whisper import WhisperRecognizer\n"
        "recognizer = WhisperRecognizer(sys.argv[1])\n"
        "recognizer.warm_up()\n"
        "child = os.fork()\n"
        # Both end as programs do, and free what they hold.
        "sys.exit(0 if child == 0 else os.waitpid(child, 0)[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, WHISPER], timeout=LONGEST_S)
    assert done.returncode == 0


def test_models_loaded_after_the_fork_work(models: Models, excerpt: np.ndarray) -> None:
    def listen() -> list[str]:
        stream = Models.load(models.settings).stream()
        return [event.kind for event in stream.process(excerpt) + stream.flush()]

    assert forked(listen) == repr(listen())


def test_it_is_an_error_of_this_package() -> None:
    assert issubclass(ForkError, TurboStreamError)
