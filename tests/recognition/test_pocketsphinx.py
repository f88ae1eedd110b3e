import json

import numpy as np
import pytest
import soundfile

from tests.support.paths import ROOT
from tools.measurements.recognition.recognizers import FUNCTION_WORDS, normalise
from turbo_stream.errors import InputError
from turbo_stream.recognition.pocketsphinx import SHIPPED_MODEL, PocketSphinxRecognizer

pytestmark = pytest.mark.slow

KITCHEN = ROOT / "examples" / "kitchen.json"

RECALL_FLOOR = 0.7
"""Of content words in the sentences below; 0.85 was measured on the whole scene."""


@pytest.fixture(scope="module")
def recognizer():
    return PocketSphinxRecognizer()


@pytest.fixture(scope="module")
def sentences():
    """The first six sentences of the scene with their sound: [(text, pcm), ...]."""
    found = []
    for row in json.loads(KITCHEN.read_text())["segments"][:6]:
        start, stop = (round((row[k] + d) * 16_000) for k, d in (("start_s", -0.2), ("end_s", 0.3)))
        pcm, _ = soundfile.read(KITCHEN.with_suffix(".flac"), stop - start, start, dtype="int16")
        found.append((row["text"], pcm))
    return found


@pytest.fixture(scope="module")
def transcripts(recognizer, sentences):
    return [recognizer.transcribe(pcm) for _, pcm in sentences]


def test_hears_the_content_words_of_the_kitchen(sentences, transcripts):
    said = [
        (word, normalise(transcript.text))
        for (text, _), transcript in zip(sentences, transcripts, strict=True)
        for word in normalise(text)
        if word not in FUNCTION_WORDS
    ]
    recall = sum(word in heard for word, heard in said) / len(said)
    assert len(said) > 15
    assert recall >= RECALL_FLOOR, [t.text for t in transcripts]


def test_texts_hold_words_alone(transcripts):
    for transcript in transcripts:
        assert transcript.text
        assert not set(transcript.text) & set("<>[]()+")


def test_confidence_is_a_mean_log_probability(transcripts):
    for transcript in transcripts:
        assert transcript.confidence.avg_logprob <= 0
        assert np.isfinite(transcript.confidence.avg_logprob)
        assert transcript.confidence.no_speech_prob == 0
        assert transcript.confidence.compression_ratio > 0


def test_clear_speech_is_surer_than_the_same_speech_in_noise(recognizer, sentences, transcripts):
    noise = np.random.default_rng(0).normal(0, 2000, 100_000)
    noisy = [
        recognizer.transcribe((pcm + noise[: len(pcm)]).astype(np.int16))
        for _, pcm in sentences[:3]
    ]
    assert np.mean([t.confidence.avg_logprob if t.text else -10.0 for t in noisy]) < np.mean(
        [t.confidence.avg_logprob for t in transcripts[:3]]
    )


def test_order_of_utterances_does_not_matter(recognizer, sentences, transcripts):
    loud = np.random.default_rng(1).normal(0, 8000, 8_000).astype(np.int16)
    recognizer.transcribe(loud)
    again = [recognizer.transcribe(pcm) for _, pcm in reversed(sentences[:4])]
    assert again[::-1] == transcripts[:4]


def test_a_fresh_decoder_says_the_same(sentences, transcripts):
    assert PocketSphinxRecognizer().transcribe(sentences[3][1]) == transcripts[3]


@pytest.mark.parametrize("samples", [0, 1, 160, 1_600, 16_000, 80_000])
def test_silence_has_no_words(recognizer, samples):
    transcript = recognizer.transcribe(np.zeros(samples, np.int16))
    assert transcript.text == ""
    assert transcript.confidence.no_speech_prob == 1.0


def test_a_tenth_of_a_second_of_speech_is_decoded(recognizer, sentences):
    pcm = sentences[0][1]
    middle = len(pcm) // 2
    transcript = recognizer.transcribe(pcm[middle : middle + 1_600])
    assert len(transcript.text.split()) <= 2


def test_warm_up_leaves_no_trace(recognizer, sentences, transcripts):
    recognizer.warm_up()
    assert recognizer.transcribe(sentences[0][1]) == transcripts[0]


def test_decoding_is_silent(recognizer, sentences, capfd):
    recognizer.transcribe(sentences[0][1])
    assert capfd.readouterr() == ("", "")


def test_a_folder_without_a_model_is_refused_in_one_line(tmp_path):
    with pytest.raises(InputError, match=r"no lm\.bin") as error:
        PocketSphinxRecognizer(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("own_process", [True, False])
@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        # PocketSphinx would end the process that cannot give it so much memory.
        ("lm.bin", b"Trie Language Model\x03" + b"\xff" * 40, "more than it can hold"),
        ("lm.bin", b"Trie Language Model\xff", "sequences of 255 words"),
        ("lm.bin", b"Trie Language Model", "sequences of 0 words"),
        ("words.dict", b"\xff\xfe\n", "words.dict is damaged"),
        ("words.dict", b"lonely\n\n", "no line of it is a word and its phones"),
        ("words.dict", b"", "no line of it is a word and its phones"),
    ],
)
def test_a_damaged_model_is_refused(tmp_path, own_process, name, content, said):
    for file in ("lm.bin", "words.dict"):
        (tmp_path / file).write_bytes((SHIPPED_MODEL / file).read_bytes())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        PocketSphinxRecognizer(tmp_path, own_process=own_process)


def test_a_model_that_pocketsphinx_does_not_read_is_refused_when_it_is_loaded(tmp_path):
    (tmp_path / "words.dict").write_bytes((SHIPPED_MODEL / "words.dict").read_bytes())
    (tmp_path / "lm.bin").write_bytes(b"no model")
    with pytest.raises(InputError, match="PocketSphinx cannot read"):
        PocketSphinxRecognizer(tmp_path).warm_up()
