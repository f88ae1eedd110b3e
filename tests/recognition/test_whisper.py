import re
from pathlib import Path

import numpy as np
import pytest

from tests.support import multilingual
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Interruptible
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.whisper_reader import Decoded
from turbo_stream.recognition.window import WindowConfig

RATE = 16_000


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def word_errors(said: list[str], heard: list[str]) -> int:
    """Return the edit distance in words."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


def cut(pcm: np.ndarray, span: dict, before_s: float = 0.3, after_s: float = 0.4) -> np.ndarray:
    """Return the utterance as a segmenter hands it on: with pre-roll and some end silence."""
    start, end = span["start_s"] - before_s, span["end_s"] + after_s
    return pcm[int(start * RATE) : int(end * RATE)]


def word_error_rate(
    recognizer: WhisperRecognizer, pcm: np.ndarray, spans: list[dict], **margins: float
) -> float:
    pairs = [
        (words(span["text"]), words(recognizer.transcribe(cut(pcm, span, **margins)).text))
        for span in spans
    ]
    return sum(word_errors(*pair) for pair in pairs) / sum(len(said) for said, _ in pairs)


def noise(level_db: float, seconds: float = 1.5, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return (samples * 32768 * 10 ** (level_db / 20)).clip(-32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def multilingual_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return multilingual.build(tmp_path_factory.mktemp("whisper") / "many")


def test_transcribes_the_scene(whisper, kitchen_pcm, kitchen_spans) -> None:
    assert word_error_rate(whisper, kitchen_pcm, kitchen_spans) <= 0.10


def test_the_cut_may_be_tighter_or_wider(whisper, kitchen_pcm, kitchen_spans) -> None:
    for margins in ({"before_s": 0.1, "after_s": 0.1}, {"before_s": 0.5, "after_s": 0.6}):
        assert word_error_rate(whisper, kitchen_pcm, kitchen_spans, **margins) <= 0.15


def test_a_short_window_hears_the_same(whisper_folder, kitchen_pcm, kitchen_spans) -> None:
    recognizer = WhisperRecognizer(whisper_folder, window=WindowConfig(floor_s=2.0, margin_s=0.5))
    assert word_error_rate(recognizer, kitchen_pcm, kitchen_spans) <= 0.15


@pytest.mark.parametrize(
    ("seconds", "floor_s", "margin_s", "window_s"),
    [(1.0, 3.0, 1.0, 3.0), (4.0, 3.0, 1.0, 5.0), (4.0, 3.0, 0.51, 4.52), (5.9, 10.0, 2.0, 6.0)],
)
def test_window_is_what_was_said_and_a_margin(
    whisper_folder, kitchen_pcm, seconds, floor_s, margin_s, window_s, monkeypatch
) -> None:
    recognizer = WhisperRecognizer(whisper_folder, window=WindowConfig(floor_s, margin_s))
    frames = spied_frames(recognizer, monkeypatch)
    recognizer.transcribe(kitchen_pcm[: int(seconds * RATE)])
    assert frames[0] == round(window_s * 100)


def test_a_loop_is_read_again_in_longer_windows(
    multilingual_folder, kitchen_pcm, monkeypatch
) -> None:
    recognizer = WhisperRecognizer(multilingual_folder)  # random weights never stop by themselves
    frames = spied_frames(recognizer, monkeypatch)
    assert recognizer.transcribe(kitchen_pcm[: 2 * RATE]).guard == "cap"
    assert frames == [1000, 1500, 3000]


LOOP = "thanks for watching " * 9
THRICE = "is there a number for me " * 3
FINE = "turn on the lights"


@pytest.mark.parametrize(
    ("texts", "frames", "text", "guard"),
    [
        ([FINE], [300], FINE, None),
        ([LOOP, FINE], [300, 450], FINE, None),
        ([THRICE, FINE], [300, 450], FINE, None),
        ([LOOP, LOOP, FINE], [300, 450, 600], FINE, None),
        ([LOOP, LOOP, THRICE], [300, 450, 600], THRICE.strip(), None),
        ([THRICE, LOOP, LOOP], [300, 450, 600], THRICE.strip(), None),
        ([LOOP, LOOP, LOOP], [300, 450, 600], "thanks for watching " * 2, "repeats"),
    ],
)
def test_only_what_repeats_itself_is_read_again(
    whisper_folder, kitchen_pcm, monkeypatch, texts, frames, text, guard
) -> None:
    recognizer = WhisperRecognizer(whisper_folder, window=WindowConfig(3.0, 1.0))
    spied = spied_frames(recognizer, monkeypatch)
    written = iter(texts)
    monkeypatch.setattr(
        recognizer.reader,
        "decode",
        lambda states, cap, before: Decoded(next(written).strip(), 9, -30.0, 0.5, False),
    )
    transcript = recognizer.transcribe(kitchen_pcm[:RATE])
    assert (transcript.text, transcript.guard, spied) == (text.strip(), guard, frames)
    assert transcript.known == (guard is None) and not transcript.no_words


@pytest.mark.parametrize("written", ["", FINE])
def test_where_nothing_was_said_it_is_known_that_there_are_no_words(
    whisper_folder, kitchen_pcm, monkeypatch, written
) -> None:
    recognizer = WhisperRecognizer(whisper_folder, window=WindowConfig(3.0, 1.0))
    silent = Decoded(written, 4, -9.0, 0.9, capped=False)
    monkeypatch.setattr(recognizer.reader, "decode", lambda states, cap, before: silent)
    transcript = recognizer.transcribe(kitchen_pcm[:RATE])
    assert (transcript.text, transcript.guard, transcript.no_words) == ("", "silence", True)
    assert transcript.confidence is not None, "as the model is told of it in training, too"


def test_words_said_seven_times_stay(whisper_folder, kitchen_pcm, monkeypatch) -> None:
    recognizer = WhisperRecognizer(whisper_folder, window=WindowConfig(3.0, 1.0))
    stop = Decoded("Stop, stop, stop, stop, stop, stop, stop!", 15, -9.0, 0.1, capped=False)
    monkeypatch.setattr(recognizer.reader, "decode", lambda states, cap, before: stop)
    transcript = recognizer.transcribe(kitchen_pcm[: 2 * RATE])
    assert (transcript.text, transcript.guard, transcript.known) == (stop.text, None, True)


@pytest.mark.parametrize(("logprob", "no_speech_prob"), [(-30.0, 0.1), (-30.0, 0.9), (-1.0, 0.9)])
def test_what_is_merely_unsure_is_read_once(
    whisper_folder, kitchen_pcm, monkeypatch, logprob, no_speech_prob
) -> None:
    recognizer = WhisperRecognizer(whisper_folder, window=WindowConfig(3.0, 1.0))
    frames = spied_frames(recognizer, monkeypatch)
    unsure = Decoded(FINE, 4, logprob, no_speech_prob, capped=False)
    monkeypatch.setattr(recognizer.reader, "decode", lambda states, cap, before: unsure)
    recognizer.transcribe(kitchen_pcm[:RATE])
    assert frames == [300]


@pytest.mark.parametrize("asks", [0, 1, 2, 3, 4, 5])
def test_stops_where_it_is_told_to(multilingual_folder, kitchen_pcm, monkeypatch, asks) -> None:
    recognizer = WhisperRecognizer(multilingual_folder)
    frames = spied_frames(recognizer, monkeypatch)
    answers = iter([True] * asks + [False])
    sound = kitchen_pcm[: 2 * RATE]
    assert recognizer.transcribe_while(sound, lambda: next(answers)) is None
    # Before each of three readings, and each time after the encoding.
    assert frames == [1000, 1500, 3000][: (asks + 1) // 2]


def test_stops_between_windows(whisper, kitchen_pcm, monkeypatch) -> None:
    frames = spied_frames(whisper, monkeypatch)
    answers = iter([True, True, False])
    assert whisper.transcribe_while(kitchen_pcm[: 9 * RATE], lambda: next(answers)) is None
    assert frames == [600]


def test_nothing_stays_behind_of_what_was_stopped(whisper, kitchen_pcm, kitchen_spans) -> None:
    assert isinstance(whisper, Interruptible)
    first, second = (cut(kitchen_pcm, span) for span in kitchen_spans[:2])
    undisturbed = whisper.transcribe(second)
    answers = iter([True, False])
    assert whisper.transcribe_while(first, lambda: next(answers)) is None
    assert whisper.transcribe_while(second, lambda: True) == undisturbed


def spied_frames(recognizer: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that will hold the frames of each window encoded."""
    frames: list[int] = []
    encode = recognizer.reader.encode

    def spy(features):
        frames.append(features.shape[-1])
        return encode(features)

    monkeypatch.setattr(recognizer.reader, "encode", spy)
    return frames


def test_speech_longer_than_the_window_is_read_whole(whisper, kitchen_pcm, kitchen_spans) -> None:
    first, third = cut(kitchen_pcm, kitchen_spans[0]), cut(kitchen_pcm, kitchen_spans[3])
    long = np.zeros(9 * RATE, np.int16)
    long[: len(first)] = first
    half = len(long) // 2  # where it is cut
    long[half : half + len(third)] = third
    heard = words(whisper.transcribe(long).text)
    assert "lights" in heard and "timer" in heard


def test_same_sound_same_transcript_whatever_came_between(
    whisper, kitchen_pcm, kitchen_spans
) -> None:
    sounds = [cut(kitchen_pcm, span) for span in kitchen_spans[:4]]
    forth = [whisper.transcribe(sound) for sound in sounds]
    back = [whisper.transcribe(sound) for sound in reversed(sounds)]
    assert forth == back[::-1]


def test_confidence_tells_speech_from_silence(whisper, kitchen_pcm, kitchen_spans) -> None:
    for span in kitchen_spans:
        confidence = whisper.transcribe(cut(kitchen_pcm, span)).confidence
        assert -1.0 < confidence.avg_logprob < 0.0
        assert 0.0 <= confidence.no_speech_prob < 0.5
        assert 0.2 < confidence.compression_ratio < 2.0
    for sound in (np.zeros(RATE, np.int16), noise(-40), noise(-60)):
        confidence = whisper.transcribe(sound).confidence
        assert confidence.no_speech_prob > 0.6
        assert confidence.avg_logprob < -1.0


@pytest.mark.parametrize("level_db", [-80, -60, -45, -35])
def test_noise_gives_no_text_and_says_why(whisper, level_db) -> None:
    transcript = whisper.transcribe(noise(level_db))
    assert transcript.text == ""
    assert transcript.guard == "silence"


@pytest.mark.parametrize("samples", [0, 1, 100, 1600])
def test_next_to_nothing_is_no_error(whisper, samples) -> None:
    assert whisper.transcribe(np.zeros(samples, np.int16)).text == ""


def test_does_not_touch_the_sound(whisper, kitchen_pcm, kitchen_spans) -> None:
    sound = cut(kitchen_pcm, kitchen_spans[0]).copy()
    before = sound.copy()
    whisper.transcribe(sound)
    assert np.array_equal(sound, before)


def test_a_folder_gives_its_name(whisper) -> None:
    assert whisper.name == "whisper:whisper-kitchen"


@pytest.mark.parametrize("model", ["tiny.en", "folder"])
def test_an_english_model_refuses_other_languages(model, whisper_folder) -> None:
    with pytest.raises(InputError, match="hears English only, not 'de'") as caught:
        WhisperRecognizer(whisper_folder if model == "folder" else model, language="de")
    assert "\n" not in str(caught.value)


def test_an_english_model_takes_english(whisper_folder, kitchen_pcm, kitchen_spans) -> None:
    sound = cut(kitchen_pcm, kitchen_spans[0])
    assert WhisperRecognizer(whisper_folder, language="en").transcribe(sound).text


def test_language_reaches_the_prompt(multilingual_folder, kitchen_pcm) -> None:
    sound = kitchen_pcm[: 2 * RATE]
    by_language = {
        code: WhisperRecognizer(multilingual_folder, language=code).transcribe(sound).confidence
        for code in multilingual.LANGUAGES
    }
    assert len({confidence.avg_logprob for confidence in by_language.values()}) == 3
    heard = WhisperRecognizer(multilingual_folder).transcribe(sound).confidence
    assert heard in by_language.values()


def test_an_unknown_language_is_refused(multilingual_folder) -> None:
    with pytest.raises(InputError, match="no language 'xx': one of af, .*de") as caught:
        WhisperRecognizer(multilingual_folder, language="xx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("samples", [0, 1, 319, 5_000, 5_600, 5_601, 32_000])
def test_features_of_silence_are_those_of_a_padded_sound(whisper, kitchen_pcm, samples) -> None:
    start = int(1.2 * RATE)
    pcm = kitchen_pcm[start : start + samples]
    window = max(6_400, samples + samples % 320)
    padded = np.zeros(window, np.float32)
    padded[:samples] = pcm / np.float32(32768)
    whole = whisper.reader._model.feature_extractor(padded, padding=0)
    found = whisper.reader.features(pcm, window)
    assert found.dtype == np.float32 and found.shape == whole.shape
    # The same numbers; a matrix product of another width may round the last bit differently.
    np.testing.assert_allclose(found, whole, rtol=0, atol=2e-6)
