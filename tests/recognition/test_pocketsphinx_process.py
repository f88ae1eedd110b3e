"""PocketSphinx decodes in a process of its own: the same texts, and no process is left."""

import gc
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import ROOT
from turbo_stream._util.clocks import processor_time
from turbo_stream.errors import TurboStreamError
from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer
from turbo_stream.recognition.recognizer import Interruptible

PATIENCE_S = 20.0
"""So long a process may take to be gone on a busy machine."""

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture(scope="module")
def request_pcm(kitchen_pcm):
    return kitchen_pcm[: int(2.0 * 16_000)]


@pytest.fixture(scope="module")
def long_pcm(kitchen_pcm):
    """What takes longer than somebody takes to lose patience."""
    return kitchen_pcm[: 7 * 16_000]


@pytest.fixture(scope="module")
def in_process(request_pcm, long_pcm):
    """What the library says in this process: (the short request, all of it)."""
    recognizer = PocketSphinxRecognizer(own_process=False)
    return recognizer.transcribe(request_pcm), recognizer.transcribe(long_pcm)


@pytest.fixture
def recognizer():
    recognizer = PocketSphinxRecognizer()
    yield recognizer
    recognizer.close()


def pid(recognizer):
    return recognizer._decoder.pid


def forks(process):
    """Return the processes that a process has started and not yet waited for."""
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def is_running(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_the_texts_are_those_of_the_library_in_this_process(
    recognizer, request_pcm, long_pcm, in_process
):
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert recognizer.transcribe(long_pcm) == in_process[1]
    assert "lights" in in_process[1].text


@pytest.mark.slow
def test_a_script_without_a_guard_decodes_outside_itself(tmp_path, kitchen_pcm, in_process):
    np.save(tmp_path / "sound.npy", kitchen_pcm[: 7 * 16_000])
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, numpy\n"
        "from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer\n"
        "print(PocketSphinxRecognizer().transcribe(numpy.load(sys.argv[1])).text)\n"
        "print('pocketsphinx' in sys.modules)\n"
    )
    # Not to be taken for the modules of these names.
    (tmp_path / "json.py").write_text("raise SystemExit(3)")
    command = [sys.executable, "-P", str(script), str(tmp_path / "sound.npy")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.stderr == ""
    assert run.stdout.splitlines() == [in_process[1].text, "False"]


@pytest.mark.slow
@needs_proc
def test_it_gives_up_when_nobody_wants_the_text_any_more(
    recognizer, request_pcm, long_pcm, in_process
):
    asked = []

    def three_times():
        asked.append(forks(pid(recognizer)))
        return len(asked) < 3

    recognizer.warm_up()
    before = pid(recognizer)
    assert isinstance(recognizer, Interruptible)
    assert recognizer.transcribe_while(long_pcm, three_times) is None
    assert len(asked) == 3 and asked[-1]
    assert forks(before) == []
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert pid(recognizer) == before


def test_when_it_dies_one_text_is_missing_and_one_line_says_so(
    recognizer, request_pcm, long_pcm, in_process, caplog
):
    recognizer.warm_up()
    first = pid(recognizer)

    def kill():
        os.kill(first, signal.SIGKILL)
        return True

    with caplog.at_level(logging.DEBUG), pytest.raises(TurboStreamError, match="died"):
        recognizer.transcribe_while(long_pcm, kill)
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert pid(recognizer) != first
    assert [record.getMessage() for record in caplog.records] == [
        "PocketSphinx: its process ended by signal 9, another one is started"
    ]


@needs_proc
def test_when_it_dies_between_two_texts_none_is_missing(
    recognizer, request_pcm, in_process, caplog
):
    recognizer.warm_up()
    first = pid(recognizer)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: not is_running(first))
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert len(caplog.records) == 1


@needs_proc
def test_when_a_single_decode_dies_the_models_stay(recognizer, request_pcm, long_pcm, in_process):
    def kill():
        for fork in forks(pid(recognizer)):
            os.kill(int(fork), signal.SIGKILL)
        return True

    recognizer.warm_up()
    first = pid(recognizer)
    with pytest.raises(TurboStreamError, match="died"):
        recognizer.transcribe_while(long_pcm, kill)
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert pid(recognizer) == first


def test_after_an_interrupt_nobody_gets_the_answer_of_another(
    recognizer, request_pcm, long_pcm, in_process, caplog
):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recognizer.transcribe_while(long_pcm, interrupt)
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert caplog.records == []


def test_an_interrupt_at_the_terminal_is_not_for_it(recognizer, request_pcm, in_process):
    recognizer.warm_up()
    first = pid(recognizer)
    os.kill(first, signal.SIGINT)
    os.kill(first, signal.SIGTERM)
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert pid(recognizer) == first
    assert os.getpgid(first) != os.getpgid(0)


@pytest.mark.parametrize("how", ["close", "garbage collection", "while it loads"])
def test_it_ends_and_leaves_no_zombie(how, request_pcm):
    recognizer = PocketSphinxRecognizer()
    if how != "while it loads":
        recognizer.transcribe(request_pcm)
    process = pid(recognizer)
    if how == "close":
        recognizer.close()
    else:
        del recognizer
        gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_closing_gives_up_what_is_being_decoded(recognizer, request_pcm, long_pcm, in_process):
    closing = []

    def close_elsewhere():
        if not closing:
            closing.append(threading.Thread(target=recognizer.close))
            closing[0].start()
        return True

    assert recognizer.transcribe_while(long_pcm, close_elsewhere) is None
    closing[0].join()
    assert recognizer.transcribe(request_pcm) == in_process[0]


@needs_proc
@pytest.mark.parametrize("how", ["kill", "exit"])
def test_it_ends_with_the_process_it_works_for(how, tmp_path, kitchen_pcm):
    """Also in the middle of a decode."""
    np.save(tmp_path / "sound.npy", kitchen_pcm[: 7 * 16_000])
    script = (
        "import sys, os, time, numpy\n"
        "from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer\n"
        "recognizer = PocketSphinxRecognizer()\n"
        "recognizer.warm_up()\n"
        "pid = recognizer._decoder.pid\n"
        "def go_on():\n"
        "    forks = open(f'/proc/{pid}/task/{pid}/children').read()\n"
        "    print(pid, forks, flush=True)\n"
        "    if sys.argv[2] == 'exit':\n"
        "        sys.exit()\n"
        "    time.sleep(60)\n"
        "recognizer.transcribe_while(numpy.load(sys.argv[1]), go_on)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "sound.npy"), how],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    processes = process.stdout.readline().split()
    assert len(processes) == 2
    if how == "kill":
        process.kill()
    assert process.communicate() == ("", "")
    wait_until(lambda: not any(is_running(one) for one in processes))


@needs_proc
def test_it_is_given_no_secrets_and_no_open_files(monkeypatch, tmp_path):
    monkeypatch.setenv("A_TOKEN", "quartz")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        recognizer = PocketSphinxRecognizer()
    recognizer.warm_up()
    process = Path(f"/proc/{pid(recognizer)}")
    files = [str(link.readlink()) for link in (process / "fd").iterdir()]
    assert all(file.startswith(("pipe:", os.devnull)) for file in files), files
    assert b"quartz" not in (process / "environ").read_bytes()
    maps = (process / "maps").read_text()
    assert "_pocketsphinx" in maps
    assert not any(library in maps for library in ("onnxruntime", "ctranslate2", "numpy"))
    recognizer.close()


def test_threads_take_turns(recognizer, request_pcm, in_process):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(recognizer.transcribe(request_pcm)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [in_process[0]] * 3


def test_what_it_uses_counts_as_processor_time(recognizer, request_pcm):
    for work in (recognizer.warm_up, lambda: recognizer.transcribe(request_pcm)):
        elsewhere_s = processor_time() - time.process_time()
        work()
        assert processor_time() - time.process_time() > elsewhere_s + 0.01


@pytest.mark.parametrize("why", ["frozen", "no interpreter"])
def test_where_no_process_can_be_started_it_decodes_here_and_says_so(
    why, monkeypatch, request_pcm, in_process, caplog
):
    if why == "frozen":
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    else:
        monkeypatch.setattr(sys, "executable", shutil.which("true"))
    recognizer = PocketSphinxRecognizer()
    recognizer.warm_up()
    monkeypatch.undo()
    assert recognizer.transcribe(request_pcm) == in_process[0]
    assert recognizer.transcribe_while(request_pcm, lambda: False) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def holds(process: int, wanted: list[bytes]) -> list[bytes]:
    """Return which of `wanted` are in the memory of a process."""
    found: set[bytes] = set()
    with Path(f"/proc/{process}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{process}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if "w" not in rights or "[v" in line:
                continue
            start, stop = (int(end, 16) for end in span.split("-"))
            memory.seek(start)
            try:
                content = memory.read(stop - start)
            except OSError:
                continue
            found.update(one for one in wanted if one in content)
    return sorted(found)


@needs_proc
def test_no_word_and_no_sample_stays_in_its_process(recognizer, request_pcm):
    """What was said is nobody's business once the answer is there."""
    text = recognizer.transcribe(request_pcm).text
    words = text.split()
    pcm = request_pcm.tobytes()
    loud = int(np.argmax(np.abs(request_pcm[8000:-8000].astype(int)))) + 8000
    samples = [pcm[2 * at : 2 * at + 64] for at in range(loud - 4000, loud + 4000, 400)]
    answers = [f'"{one}", "{two}"'.encode() for one, two in zip(words, words[1:], strict=False)]
    assert len(answers) > 1
    time.sleep(0.1)
    assert holds(pid(recognizer), [*samples, *answers, text.encode()]) == []


def test_what_was_given_to_the_process_is_overwritten(recognizer, request_pcm, monkeypatch):
    given = []
    decode = recognizer._decoder.decode

    def keep(pcm, go_on, words):
        given.append(pcm)
        return decode(pcm, go_on, words)

    monkeypatch.setattr(recognizer._decoder, "decode", keep)
    assert recognizer.transcribe(request_pcm).text
    assert given and not any(given[0])


def test_a_decoder_here_remembers_no_words_and_recovers_from_a_failure(request_pcm):
    recognizer = PocketSphinxRecognizer(own_process=False)
    expected = recognizer.transcribe(request_pcm)
    decoder = recognizer._decoder._decoder
    assert expected.text and decoder.hyp() is None

    class Failing:
        def __getattr__(self, name):
            return getattr(decoder, name)

        def process_raw(self, pcm, full_utt):
            raise RuntimeError("amid an utterance")

    recognizer._decoder._decoder = Failing()
    with pytest.raises(RuntimeError, match="amid"):
        recognizer.transcribe(request_pcm)
    recognizer._decoder._decoder = decoder
    assert recognizer.transcribe(request_pcm) == expected
