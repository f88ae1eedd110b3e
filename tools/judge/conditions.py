"""Hard conditions, each beside the clean figure on the same recordings."""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from tools.judge.candidate import Candidate, Panel, counted
from tools.judge.figures import figures
from tools.judge.recording import Recording, plain_words
from tools.judge.scoring import NO_WORDS, Bench, Hearing, as_given
from tools.judge.sounds import NOISE_DB, Sound
from turbo_stream.recognition.recognizer import Transcript

Asked = Sequence[tuple[Recording, Candidate]]
"""Recordings, each with the package that is asked about it."""

SHORT_WORDS = 2
"""Words of a short utterance at most."""

# fmt: off
_ANSWERS = {"yes", "no", "yeah", "yep", "nope", "okay", "ok", "sure", "right", "correct"}
_COMMANDS = {
    "stop", "go", "start", "cancel", "pause", "next", "back", "help", "repeat", "on", "off", "up",
    "down",
}
# fmt: on


def draw_evenly(asked: Asked, most: int, seed: int) -> Asked:
    """Return up to `most`, half of each class, as many of every collection as there are."""
    rng = random.Random(seed)
    chosen: list[tuple[Recording, Candidate]] = []
    for side in (True, False):
        piles: dict[str, list[tuple[Recording, Candidate]]] = defaultdict(list)
        for one in asked:
            if one[0].directed is side:
                piles[one[0].collection].append(one)
        for name in sorted(piles):
            rng.shuffle(piles[name])
        room = most // 2
        while room and any(piles.values()):
            for name in sorted(piles):
                if room and piles[name]:
                    chosen.append(piles[name].pop())
                    room -= 1
    return chosen


def scored(
    bench: Bench, candidates: Sequence[Candidate], hearings: Sequence[Hearing], label: str
) -> dict[str, Any]:
    """Return figures of hearings, each by its own candidate and at that one's threshold."""
    scores = bench.scores_of(list(zip(candidates, hearings, strict=True)), label)
    thresholds = np.array([one.package.threshold() for one in candidates])
    return figures([hearing.recording for hearing in hearings], scores, thresholds)


def judge_conditions(
    panel: Panel, bench: Bench, recordings: Sequence[Recording], *, most: int, seed: int = 0
) -> dict[str, Any]:
    """Return a row a condition: `clean` and `under` it, on the same items.

    Wrong text is what was heard in another recording of the other class. `met` counts items that
    their package was trained on, `chose` those that chose it.
    """
    drawn = draw_evenly(panel.asked([one for one in recordings if not one.nominal]), most, seed)
    items, candidates = [one for one, _ in drawn], [candidate for _, candidate in drawn]
    rng = random.Random(seed)
    worded = {
        side: [one.transcript for one in items if one.directed is side and one.transcript.text]
        for side in (True, False)
    }
    if not all(worded.values()):
        return {}

    def given(sound: Sound, words: Sequence[Transcript]) -> list[Hearing]:
        together = zip(items, words, strict=True)
        return [Hearing(one, sound, text, ()) for one, text in together]

    under = {
        "far talker, 3 to 5 m": given("far", bench.recognized(items, "far", "far, recognizing")),
        f"noise, {NOISE_DB} dB": given(
            "noise", bench.recognized(items, "noise", "noise, recognizing")
        ),
        "empty text": given("recorded", [NO_WORDS] * len(items)),
        "wrong text": given("recorded", [rng.choice(worded[not one.directed]) for one in items]),
    }
    clean = scored(bench, candidates, [as_given(one) for one in items], "conditions, clean")
    return {
        **counted(drawn),
        "text_of_altered_sound": bench.asr or "as heard in the clean sound",
        "rows": {
            name: {"clean": clean, "under": scored(bench, candidates, hearings, name)}
            for name, hearings in under.items()
        },
    }


def judge_short(panel: Panel, bench: Bench, recordings: Sequence[Recording]) -> dict[str, Any]:
    """Return figures of utterances of at most two words, and how many of each kind are accepted.

    Kinds are of directed speech; those labelled by name only stand apart.
    """
    real = [one for one in recordings if not one.nominal]
    found: dict[str, Any] = {"words": SHORT_WORDS}
    for name, items in (
        ("short", [one for one in real if len(one.words) <= SHORT_WORDS]),
        ("longer", [one for one in real if len(one.words) > SHORT_WORDS]),
    ):
        asked = panel.asked(items)
        hearings = [as_given(one) for one, _ in asked]
        candidates = [candidate for _, candidate in asked]
        found[name] = {
            **scored(bench, candidates, hearings, f"{name} utterances"),
            **counted(asked),
        }
    kinds: dict[str, list[Recording]] = defaultdict(list)
    for one in recordings:
        if one.directed and (kind := kind_of(one)):
            kinds[kind].append(one)
    found["accepted"] = {}
    for kind in sorted(kinds):
        asked = panel.asked(kinds[kind])
        hearings = [_to_its_name(one) for one, _ in asked]
        candidates = [candidate for _, candidate in asked]
        rejected = scored(bench, candidates, hearings, kind)["false_reject"]
        found["accepted"][kind] = {
            "n": len(asked),
            **counted(asked),
            "share": None if rejected is None else 1.0 - rejected,
        }
    return found


def _to_its_name(recording: Recording) -> Hearing:
    """Return a recording; where it is its device's name alone, the device is told that name."""
    given = as_given(recording)
    alone = recording.names and recording.words == plain_words(recording.names[0])
    return given._replace(names=recording.names) if alone else given


def kind_of(recording: Recording) -> str | None:
    """Return which kind of short utterance a recording is, by its true words; None for others."""
    nominal = " (labelled by name only)" if recording.nominal else ""
    words = recording.words
    if recording.names and words == plain_words(recording.names[0]):
        return f"the device's name alone{nominal}"
    if len(words) == 1 and words[0] in _ANSWERS:
        return f"an answer of one word{nominal}"
    if len(words) == 1 and words[0] in _COMMANDS:
        return f"a command of one word{nominal}"
    return None
