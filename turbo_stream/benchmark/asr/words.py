"""Words that a recognizer got wrong, by window and source."""

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from turbo_stream.benchmark.asr.sounds import Utterance
from turbo_stream.benchmark.asr.window_recognizer import Heard, Runs
from turbo_stream.benchmark.report import distribution

_ALL = "all"


def words_can_be_counted() -> bool:
    """Say whether the extra `eval` is installed."""
    return all(find_spec(name) for name in ("jiwer", "whisper_normalizer"))


def word_rows(runs: Runs, utterances: Sequence[Utterance]) -> list[dict[str, Any]]:
    """Return a row for each source and window, then one for all sources.

    `wer`: errors over words of the texts that the utterances should have, in Whisper's normal
    form. `silent`: recordings whose text is empty, `silent_with_text`: those that yielded one
    nevertheless. `guards`: how often each of them emptied a text.
    """
    sources = list(dict.fromkeys(one.source for one in utterances))
    return [
        row
        for source in [*(sources if len(sources) > 1 else ()), _ALL]
        for row in _rows(runs, utterances, source)
    ]


def _rows(runs: Runs, utterances: Sequence[Utterance], source: str) -> Iterator[dict[str, Any]]:
    chosen = [n for n, one in enumerate(utterances) if source in (_ALL, one.source)]
    for window, all_heard in runs.items():
        heard = [all_heard[n] for n in chosen]
        silent = [one for n, one in zip(chosen, heard, strict=True) if not utterances[n].text]
        times = distribution([one.cpu_ms for one in heard])
        guards = Counter(one.transcript.guard for one in heard if one.transcript.guard)
        yield {
            "source": source,
            "floor_s": window and window.floor_s,
            "margin_s": window and window.margin_s,
            "n": len(heard),
            **_errors([str(utterances[n].text) for n in chosen], heard),
            "silent": len(silent),
            "silent_with_text": sum(bool(one.transcript.text) for one in silent),
            "cpu_ms": {name: times[name] for name in ("p50", "p95")},
            "second_readings": sum(one.steps.read_twice for one in heard),
            "guards": {name: guards[name] for name in ("silence", "cap", "repeats")},
        }


def _errors(said: Sequence[str], heard: Sequence[Heard]) -> dict[str, Any]:
    import jiwer

    from turbo_stream.evaluation.figures.word_errors import whisper_normalizer

    normalize = whisper_normalizer("en")
    pairs = [
        (text, normalize(one.transcript.text))
        for text, one in zip(map(normalize, said), heard, strict=True)
        if text
    ]
    if not pairs:
        return {"words": 0, "wer": None}
    found = jiwer.process_words([text for text, _ in pairs], [text for _, text in pairs])
    words = found.hits + found.substitutions + found.deletions
    return {"words": words, "wer": found.wer}
