"""The same word, called out or merely mentioned, by the same callers."""

from collections.abc import Sequence
from typing import Any

from tools.judge.candidate import Panel
from tools.judge.figures import figures, probe_figures
from tools.judge.pairs import members
from tools.judge.recording import Recording
from tools.judge.scoring import NO_WORDS, Bench, Hearing
from turbo_stream.recognition.recognizer import Transcript

AS_GIVEN = ("alert_words", "word_mention_cuts")
"""The same words with the cuts that the recordings came with."""


def shared_callers(recordings: Sequence[Recording]) -> list[Recording]:
    """Return the recordings of groups that have both classes."""
    sides = [{one.group for one in recordings if one.directed is side} for side in (True, False)]
    both = sides[0] & sides[1]
    return [one for one in recordings if one.group in both]


def judge_called(
    panel: Panel, bench: Bench, recordings: Sequence[Recording], cuts: Sequence[Recording]
) -> dict[str, Any]:
    """Return the figures of word `cuts`, and of the recordings they were made from.

    `matched` has as many of each class for every word, so that the word itself says nothing;
    `test` is the fold that nothing may be trained on. Text is the true word; with a recognizer
    also what it hears in the cut alone.
    """
    whole = [*members(recordings, AS_GIVEN[0], True), *members(recordings, AS_GIVEN[1], False)]
    chosen = {
        "as_given": shared_callers(whole),
        "recut": shared_callers(cuts),
        "recut_matched": [one for one in cuts if one.matched],
        "recut_test": shared_callers([one for one in cuts if one.fold == "test"]),
    }
    return {
        name: _one_set(panel, bench, items, name)
        for name, items in chosen.items()
        if len({one.directed for one in items}) == 2
    }


def _one_set(panel: Panel, bench: Bench, items: Sequence[Recording], name: str) -> dict[str, Any]:
    candidate = panel.for_recordings(items)
    label = f"called or mentioned, {name}"

    def scored(sound: Any, transcripts: Sequence[Transcript], named: bool) -> dict[str, Any]:
        hearings = [
            Hearing(one, sound, transcript, one.names if named else ())
            for one, transcript in zip(items, transcripts, strict=True)
        ]
        return figures(items, bench.scores(candidate, hearings, label))

    words = [one.spoken for one in items]
    found = {
        "package": candidate.title,
        **candidate.met(items),
        "probe": probe_figures(items, bench.probe_features(items, "recorded", f"{label}, probe")),
        "fused": scored("recorded", words, True),
        "fused_no_name": scored("recorded", words, False),
        "audio": scored("recorded", [NO_WORDS] * len(items), True),
    }
    if bench.asr is not None:
        heard = bench.recognized(items, "recorded", f"{label}, recognizing")
        found["fused_recognized"] = scored("recorded", heard, True)
        found["text_recognized"] = scored("none", heard, True)
    return found
