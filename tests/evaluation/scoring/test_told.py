"""What the network is told of an utterance is the same live, in turbo-eval and in training."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from turbo_stream.detection._graph import TurboGraph
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.part import Part
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer
from turbo_stream.recognition.recognizer import NOT_HEARD, Confidence, Transcript
from turbo_stream.recognition.told import NO_WORDS, NOTHING, report, reported, told

SURE = Confidence(-0.3, 0.02, 1.1)
NAN = float("nan")

ANSWERS = {
    "words": Transcript("turn on the lights", SURE),
    "words without confidence": Transcript("turn on the lights"),
    "words, no number": Transcript("turn on the lights", Confidence(NAN, 0.1)),
    "words, no compression at all": Transcript("turn on", Confidence(-0.3, 0.1, 0.0)),
    "silence, as Whisper guards it": Transcript("", Confidence(-1.75, 0.7, 0.33), "silence"),
    "silence, less so": Transcript("", Confidence(-1.0, 0.62, 0.33), "silence"),
    "no words, as PocketSphinx says it": Transcript("", Confidence(0.0, 1.0)),
    "no words, without confidence": Transcript(""),
    "no words, no guard": Transcript("", Confidence(-0.4, 0.1, 1.0)),
    "a sound put into words": Transcript("[wind]", SURE),
    "cap": Transcript("the the the", Confidence(-0.2, 0.1, 3.0), "cap", known=False),
    "repeats": Transcript("you you you", Confidence(-0.2, 0.1, 3.0), "repeats", known=False),
    "not believed, without a guard": Transcript("who knows", SURE, known=False),
    "too late": NOT_HEARD,
    "half a character": Transcript("turn \ud83d on", SURE),
    "another language": Transcript("apaga la luz", SURE, language="es"),
    "its translation": Transcript(
        "apaga la luz", SURE, language="es", translation=Transcript("turn off", Confidence(-0.7))
    ),
    "its translation, not believed": Transcript(
        "apaga la luz",
        SURE,
        language="es",
        translation=Transcript("the the the", SURE, "cap", known=False),
    ),
    "its translation has no words": Transcript(
        "hm", SURE, language="es", translation=Transcript("", SURE)
    ),
    "English, told so": Transcript("turn on the lights", SURE, language="en"),
}


@dataclass
class Answering:
    """A recognizer with one answer."""

    answer: Transcript
    name: str = "answering"

    def transcribe(self, pcm) -> Transcript:
        return self.answer

    def warm_up(self) -> None:
        return None


class Deaf:
    """The same recognizer, which must not be asked any more."""

    name = Answering.name


def scorer(package: Path, recognizer) -> Scorer:
    found = Scorer(ScoringSettings(model=str(package), asr="none", threshold=0.0))
    found.models = replace(found.models, recognizer=recognizer)
    found.asr = recognizer.name
    return found


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[int], list[float]]]:
    """What every run of the network was given: tokens that count, and the confidence."""
    seen: list[tuple[list[int], list[float]]] = []
    whole = TurboGraph.run

    def run(self, pcm, token_ids, token_mask, confidence, states=None):
        seen.append(((token_ids * token_mask)[0].tolist(), confidence.tolist()))
        return whole(self, pcm, token_ids, token_mask, confidence, states)

    monkeypatch.setattr(TurboGraph, "run", run)
    return seen


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_live_eval_and_training_are_told_the_same(
    tmp_path: Path,
    tiny_package: Path,
    corpus: Path,
    kitchen_pcm,
    given,
    monkeypatch,
    answer: Transcript,
) -> None:
    torch = pytest.importorskip("torch", reason="training needs the train extra")
    from tokenizers import Tokenizer

    from tools.corpus import hearing
    from training.data.batch import Example, collate
    from training.data.hypotheses import read_hypotheses

    one = scorer(tiny_package, Answering(answer))
    item = read_manifest(corpus)[0]
    given.clear()
    row = one.score(item)
    by_eval = given[-1]

    stream = one.models.stream()
    given.clear()
    heard = stream.process(kitchen_pcm[: 16_000 * 4]) + stream.flush()
    assert heard
    assert by_eval in given, "live"

    written = json.dumps(row) + "\n"
    (tmp_path / "predictions.jsonl").write_text(written, "utf-8")
    (hypothesis,) = read_hypotheses([tmp_path / "predictions.jsonl"])[Part.of(row)]
    monkeypatch.setattr(hearing, "_recognizer", Answering(answer))
    part = {"audio_filepath": row["audio_filepath"]}
    corpus_row = {**part, **hearing._hear(item.path)}
    corpus_row["asr"]["backend"] = "answering"
    (tmp_path / "hypotheses.jsonl").write_text(json.dumps(corpus_row) + "\n", "utf-8")
    assert read_hypotheses([tmp_path / "hypotheses.jsonl"])[Part.of(row)] == (hypothesis,)
    example = Example(None, hypothesis.text, hypothesis.confidence, 0)
    tokenizer = Tokenizer.from_file(str(tiny_package / "tokenizer.json"))
    batch = collate([example], tokenizer, 1, torch.device("cpu"), max_tokens=64)
    in_training = (batch.token_ids * batch.token_mask)[0].tolist(), batch.confidence[0].tolist()
    assert in_training == by_eval


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_a_recording_is_judged_as_it_is_decided_live(
    tmp_path: Path, tiny_package: Path, corpus: Path, given, answer: Transcript
) -> None:
    """Heard anew, read from the ledger, and as turbo-eval has heard it."""
    pytest.importorskip("scipy", reason="judging needs the train extra")
    from tools.judge.candidate import load_candidate
    from tools.judge.recording import read_recordings
    from tools.judge.scoring import Bench, Hearing, Ledger
    from tools.judge.sounds import Stage

    row = scorer(tiny_package, Answering(answer)).score(read_manifest(corpus)[0])
    live = given[-1]
    (tmp_path / "predictions.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    candidate = load_candidate(tiny_package, learned=[])
    anew = read_recordings(corpus)
    before = read_recordings(corpus, [tmp_path / "predictions.jsonl"])
    for recordings, recognizer in ((anew, Answering(answer)), (anew, Deaf()), (before, None)):
        with Ledger(tmp_path / "ledger.jsonl") as ledger:
            bench = Bench(Stage(), ledger, recognizer)
            (heard,) = bench.recognized(recordings[:1], "recorded", "")
        candidate.classifier.probabilities(recordings[0].pcm(), heard)
        assert given[-1] == live
    told_english = replace(heard, language=None, translation=None)
    both = [Hearing(anew[0], "recorded", one, ()) for one in (checked(answer), told_english)]
    with Ledger(tmp_path / "ledger.jsonl") as ledger:
        given.clear()
        Bench(Stage(), ledger).scores(candidate, both, "")
    assert given[0] == live, "and no other score is taken for its own"


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=list(ANSWERS))
def test_a_row_of_results_tells_what_its_transcript_did(answer: Transcript) -> None:
    row = json.loads(json.dumps(report(answer)))
    assert told(reported(answer.text, row)).confidence == told(answer).confidence


def test_no_words_are_one_thing_to_say() -> None:
    quiet = [
        ANSWERS[name] for name in ANSWERS if name.startswith(("silence", "no words", "a sound"))
    ]
    assert len(quiet) == 6
    assert {told(one) for one in quiet} == {NO_WORDS}
    unknown = ("cap", "repeats", "not believed, without a guard", "too late")
    assert {told(ANSWERS[name]) for name in unknown} == {NOTHING}


def test_pocketsphinx_says_it_that_way_too() -> None:
    recognizer = PocketSphinxRecognizer(own_process=False)
    heard = recognizer.transcribe(np.zeros(16_000, np.int16))
    assert told(heard) == NO_WORDS
    assert (heard.confidence.avg_logprob, heard.confidence.no_speech_prob) == (0.0, 1.0)


def test_an_older_row_is_believed_by_its_guard() -> None:
    assert told(reported("the the", {"avg_logprob": -0.1, "guard": "cap"})) == NOTHING
    assert told(reported("stop", {"avg_logprob": -0.5, "no_speech_prob": None})).confidence == (
        -0.5,
        0.0,
        1.0,
        0.0,
    )
