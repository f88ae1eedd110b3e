"""One recognizer for many streams: one at a time, decisions first, nothing for nobody."""

import threading

import numpy as np
import pytest

from tests.support.fakes import ScriptedRecognizer
from turbo_stream.recognition.recognizer import Interruptible
from turbo_stream.serving import shared_recognizer
from turbo_stream.serving.shared_recognizer import SharedRecognizer, SpareTime

PCM = np.zeros(1600, np.int16)


class OnlyOne(ScriptedRecognizer):
    """Notices when two threads are in it, as PocketSphinx would."""

    inside = 0
    most = 0

    def transcribe(self, pcm):
        self.inside += 1
        self.most = max(self.most, self.inside)
        threading.Event().wait(0.005)
        self.inside -= 1
        return super().transcribe(pcm)


def test_streams_take_turns() -> None:
    recognizer = OnlyOne()
    shared = SharedRecognizer(recognizer)
    shared.warm_up()
    assert isinstance(shared, Interruptible) and shared.name == recognizer.name
    texts = []

    def stream(index: int) -> None:
        for _ in range(5):
            if index % 2:
                texts.append(shared.transcribe(PCM))
            else:
                texts.append(shared.transcribe_while(PCM, lambda: True))

    threads = [threading.Thread(target=stream, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(texts) == recognizer.calls == 30 and recognizer.most == 1
    assert {text.text for text in texts} == {recognizer.text}


def test_who_is_not_wanted_any_more_does_not_wait_for_its_turn() -> None:
    release = threading.Event()
    recognizer = ScriptedRecognizer(release=release)
    shared = SharedRecognizer(recognizer)
    busy = threading.Thread(target=shared.transcribe, args=(PCM,))
    busy.start()
    while shared.idle:
        pass
    assert shared.transcribe_while(PCM, lambda: False) is None
    assert busy.is_alive() and recognizer.calls == 1
    release.set()
    busy.join(5)
    assert shared.idle


def test_a_failure_gives_the_turn_back() -> None:
    shared = SharedRecognizer(ScriptedRecognizer(error=ValueError("no")))
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            shared.transcribe_while(PCM, lambda: True)
    assert shared.idle


def test_partial_texts_are_for_spare_time_only(monkeypatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(shared_recognizer, "monotonic", lambda: now_s)
    release = threading.Event()
    shared = SharedRecognizer(ScriptedRecognizer(release=release))
    spare = SpareTime(shared)
    assert spare() and not spare(), "not two at once, of whatever streams"
    now_s += shared_recognizer.EVERY_S
    busy = threading.Thread(target=shared.transcribe, args=(PCM,))
    busy.start()
    while shared.idle:
        pass
    assert not spare(), "somebody waits for a decision"
    release.set()
    busy.join(5)
    assert spare()


def test_partial_texts_give_way_to_a_recognizer_that_is_much_used(monkeypatch) -> None:
    now_s = 100.0
    for name in ("monotonic", "perf_counter"):
        monkeypatch.setattr(shared_recognizer, name, lambda: now_s)

    class Slow(ScriptedRecognizer):
        def transcribe(self, pcm):
            nonlocal now_s
            now_s += 0.8
            return super().transcribe(pcm)

    shared = SharedRecognizer(Slow())
    spare = SpareTime(shared)
    assert shared.busy == 0 and spare()
    for _ in range(10):
        shared.transcribe_while(PCM, lambda: True)
        now_s += 0.2
    assert shared.busy == pytest.approx(0.8, abs=0.1) and not spare()
    now_s += 3.0
    assert shared.busy < 0.4 and spare()
