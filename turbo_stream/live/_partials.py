"""Text while speech goes on: only of speech that already sounds meant for the device."""

import string
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from turbo_stream._util.probability import shifted
from turbo_stream._util.timebase import ms_to_samples
from turbo_stream.deciding.decider import Decider
from turbo_stream.events import Partial
from turbo_stream.live.scoring_thread import GoOn, ScoringThread
from turbo_stream.segmentation.segment import Segment


@dataclass
class StablePrefix:
    """Words on which two hypotheses in a row agreed (LocalAgreement-2, arXiv 2307.14743).

    What was stable stays, as it was written: later hypotheses only add to it, and one that
    contradicts it is passed over. Case and punctuation contradict nothing.
    """

    words: list[str] = field(default_factory=list)
    _previous: list[str] = field(default_factory=list)

    def update(self, text: str) -> tuple[str, int] | None:
        """Take in a hypothesis; return the text to show and how many of its characters stay.

        None where `text` contradicts what was stable, or is empty.
        """
        words = text.split()
        agreed = _agreement(words, self._previous)
        self._previous = words
        kept = len(self.words)
        if not words or _agreement(words, self.words) < kept:
            return None
        # The last word may be cut off in both: it was still being said.
        self.words += words[kept : max(kept, min(agreed, len(words) - 1))]
        return " ".join([*self.words, *words[len(self.words) :]]), len(" ".join(self.words))


def _agreement(words: list[str], others: list[str]) -> int:
    """Return how many words at the front are the same."""
    for count, (word, other) in enumerate(zip(words, others, strict=False)):
        if _bare(word) != _bare(other):
            return count
    return min(len(words), len(others))


def _bare(word: str) -> str:
    return word.casefold().strip(string.punctuation)


@dataclass(frozen=True)
class PartialsConfig:
    """When a partial text is made."""

    first_after_ms: float = 600
    """Speech needed before the first of an utterance."""

    every_ms: float = 400
    """Stream time from one to the next, at least."""

    busy_share: float = 0.25
    """Share of the time that making them may take: a slow machine makes fewer."""

    margin_log_odds: float = 2.2
    """By so much surer than a decision needs Turbo must be before the text is shown: nine times
    the odds. At a margin of 0 of the speech that was rejected in the end every other
    utterance had been shown (docs/lab/latency.md)."""

    hopeless: float = 0.1
    """Below this probability, twice in a row, an utterance gets no more of them."""


@dataclass
class _Utterance:
    """What is remembered of the utterance that is being spoken."""

    id: int = -1
    next_at: int = 0
    """Stream time in samples before which no further text is made."""

    hopeless: int = 0
    text: StablePrefix = field(default_factory=StablePrefix)


class Partials:
    """The partial texts of one stream.

    A text is made once the sound alone says accepted, and shown if sound and text together are
    sure of it; where rejected speech is shown as well, always. Not part of the promises on
    chunking and repetition: how many there are depends on the speed of the machine.
    """

    def __init__(
        self,
        decider: Decider,
        thread: ScoringThread,
        say: Callable[[Partial], None],
        config: PartialsConfig | None = None,
    ) -> None:
        """Make texts on `thread` and give them to `say`, which must not wait."""
        self._decider = decider
        self._thread = thread
        self._say = say
        self._config = config or PartialsConfig()
        self._now = _Utterance()

    def due(self, id: int, start_sample: int, now_sample: int) -> bool:
        """Return whether a text of the utterance `id`, begun at `start_sample`, is due."""
        if id != self._now.id:
            first = start_sample + ms_to_samples(self._config.first_after_ms)
            self._now = _Utterance(id, next_at=first)
        return self._now.hopeless < 2 and now_sample >= self._now.next_at

    def forget(self) -> None:
        """Let go of the text of an utterance that has ended."""
        self._now = _Utterance()

    def hear(self, spoken: Segment) -> None:
        """Make a text of what was `spoken` so far, if the thread has nothing else to do."""
        utterance = self._now

        def work(go_on: GoOn) -> None:
            started = perf_counter()
            try:
                partial = self._text(utterance, spoken, go_on)
            finally:
                spoken.overwrite()
            cost_ms = (perf_counter() - started) * 1000
            pause_ms = max(self._config.every_ms, cost_ms / self._config.busy_share)
            utterance.next_at = spoken.end_sample + ms_to_samples(pause_ms)
            with self._thread.quiet:
                if partial is not None and go_on():
                    self._say(partial)

        due = utterance.next_at
        utterance.next_at = spoken.end_sample + ms_to_samples(self._config.every_ms)
        if not self._thread.listen_in(spoken, work):
            utterance.next_at = due

    def _text(self, utterance: _Utterance, spoken: Segment, go_on: GoOn) -> Partial | None:
        decider = self._decider
        if not decider.show_rejected:
            by_sound = decider.score_sound(spoken)
            if by_sound is None or not self._accepted(utterance, by_sound):
                return None
        hearing = decider.hear(spoken, go_on)
        if hearing is None or not go_on():
            return None
        if not decider.show_rejected:
            scored = decider.score_heard(spoken, hearing)
            if scored.score is None:
                return None
            weights = decider.addressing.weights(scored.said, spoken.start_sample)
            margin = self._config.margin_log_odds - sum(weights)
            if not self._accepted(utterance, scored.score.directed_probability, margin):
                return None
        utterance.hopeless = 0
        if not hearing.transcript.known or hearing.transcript.no_words:
            return None
        shown = utterance.text.update(hearing.transcript.text)
        return None if shown is None else Partial(spoken.id, *shown)

    def _accepted(self, utterance: _Utterance, probability: float, margin: float = 0.0) -> bool:
        """Return whether `probability` accepts by a margin; count how often it was beyond hope."""
        if probability < self._config.hopeless:
            utterance.hopeless += 1
        return shifted(probability, -margin) >= self._decider.threshold
