"""The decision on one utterance: recognize, score, and say no more than may be said."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, Self

from turbo_stream._util.option import is_number, shown
from turbo_stream._util.probability import probability, shifted
from turbo_stream._util.timebase import to_seconds
from turbo_stream.addressing.address import NO_WEIGHTS, Addressing, Weights
from turbo_stream.addressing.calls import NameUse
from turbo_stream.deciding.household import Household, Speaker
from turbo_stream.deciding.revision import Revision, Whole
from turbo_stream.deciding.scored import Hearing, Scored
from turbo_stream.deciding.second_reading import read_again
from turbo_stream.deciding.turn_before import TurnBefore
from turbo_stream.detection.detector import Detector, Read, Score, words_read
from turbo_stream.errors import InputError
from turbo_stream.events import Decision, Evidence, Reason, Utterance
from turbo_stream.learning.learner import Learner
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import Interruptible, Recognizer, Transcript
from turbo_stream.recognition.told import report
from turbo_stream.segmentation.judged_pause import judged_pause
from turbo_stream.segmentation.level import over_noise_db
from turbo_stream.segmentation.segment import PauseScorer, Segment

_CERTAIN = 1 - 2**-53
"""The number before 1."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one score."""

    probability: float
    """The score that was compared with the threshold."""

    decision: Decision
    evidence: Evidence

    @classmethod
    def of(
        cls,
        score: float,
        transcript: Transcript,
        threshold: float,
        *,
        log_odds: float = 0.0,
        name_use: NameUse = "absent",
        address: Weights = NO_WEIGHTS,
        by_sound: bool = False,
        read: Read | None = None,
    ) -> Self:
        """Decide: the one rule of everything that listens, serves and evaluates.

        A recognizer that has listened and found no word is proof enough that nobody spoke to the
        device, so the score is 0 then, and nothing is accepted at a threshold of 0 either. One
        that was not asked or did not answer proves nothing: there the sound decides.

        Args:
            score: the detector's, in [0, 1].
            transcript: what the recognizer made of the utterance.
            threshold: accept from this score on.
            log_odds: added to those of the score, for what was accepted before.
            name_use: what was done with the device's name.
            address: added for that, and for a conversation that goes on.
            by_sound: `score` is that of the sound alone, and rejects.
            read: which words counted, where the detector says so.
        """
        if transcript.no_words and not by_sound:
            return cls(0.0, "rejected", "no_words")
        # Not 1.0, to which nothing could be added.
        score = min(score, _CERTAIN) if address.name else score
        by_name = shifted(score, address.name)
        probability = shifted(score, address.name + address.conversation + log_odds)
        accepted = probability >= threshold
        evidence: Evidence = read or ("content" if transcript.known else "sound")
        if by_sound:
            evidence = "sound"
        if accepted != (by_name >= threshold):
            evidence = "follow_up"
        elif accepted != (score >= threshold) or (accepted and name_use == "called"):
            evidence = "name"
        return cls(probability, "accepted" if accepted else "rejected", evidence)


@dataclass
class Decider:
    """Turns the segments of one stream into terminal events.

    The models it is given may serve many streams; the threshold is the stream's own.
    """

    recognizer: Recognizer
    detector: Detector

    threshold: float
    """Accept from this score on. May be set while the stream goes on."""

    addressing: Addressing = field(default_factory=Addressing)
    """How this stream's device is addressed."""

    unnamed: Detector | None = None
    """The same detector without the names, for speech in which none was heard, so that a name
    costs other commands nothing; None where a name that was not heard changes nothing anyway."""

    show_rejected: bool = False
    """Put the text of rejected speech into its event. Off: it does not leave this object."""

    turns: TurnBefore = field(default_factory=TurnBefore)
    """What was said before an utterance, for a detector that reads it; holds nothing by default."""

    sound_scorer: PauseScorer | None = None
    """Scores a sound alone; without one nothing is rejected by sound."""

    sound_reject: float = 0.0
    """Below this score of the sound alone an utterance is rejected and no text is made of it; 0
    makes a text of everything."""

    tells_level: bool = False
    """Put into the event how far accepted speech stood out of the noise."""

    learner: Learner | None = None
    """Remembers what was decided, so that it can be corrected; None where nothing is learned."""

    revision: Revision | None = None
    """Puts together what belongs together; None where nobody wants second thoughts."""

    whole: Whole | None = field(default=None, init=False, repr=False)
    """What the utterance decided last completes, for `second_thoughts`."""

    household: Household = field(default_factory=Household)
    """Says whose accepted speech was; nobody listens to the voice of other speech."""

    def score(self, segment: Segment, go_on: Callable[[], bool] = lambda: True) -> Scored | None:
        """Return text and score of `segment`, or None once `go_on` says no (asked between steps).

        A failure of the recognizer is a degradation, one of the detector an undecided utterance. So
        is an answer that is none: no text, or a score that is no probability.
        """
        started = perf_counter()
        directed = self.score_sound(segment) if self.sound_reject > 0 else None
        if directed is not None and directed < self.sound_reject:
            turbo_ms = _ms_since(started)
            # Asked to show what was rejected, a text is made all the same, to be shown alone.
            shown = self.hear(segment, go_on) if self.show_rejected else Hearing.without_text()
            if shown is None:
                return None
            return Scored(shown, Score(directed, {}), turbo_ms, by_sound=True)
        heard = self.hear(segment, go_on)
        if heard is not None and go_on():
            heard = self._hear_again(segment, heard, go_on)
        if heard is None or not go_on():
            return None
        return self.score_heard(segment, heard)

    def score_sound(self, segment: Segment) -> float | None:
        """Return how directed the sound alone is, in [0, 1]; None where nobody can say."""
        at_pause = segment.pause
        if at_pause is None or at_pause.directed_probability is None:
            if self.sound_scorer is None:
                return None
            at_pause = judged_pause(self.sound_scorer, segment.pcm)
        return None if at_pause is None else at_pause.directed_probability

    def hear(self, segment: Segment, go_on: Callable[[], bool] = lambda: True) -> Hearing | None:
        """Recognize `segment`, or return None where `go_on` said no before that was done."""
        started = perf_counter()
        try:
            if isinstance(self.recognizer, Interruptible):
                transcript = self.recognizer.transcribe_while(segment.pcm, go_on)
                if transcript is None:
                    if not go_on():
                        return None
                    raise RuntimeError("a recognizer gave up though nobody told it to")
            else:
                transcript = self.recognizer.transcribe(segment.pcm)
            return Hearing(checked(transcript), _ms_since(started))
        except Exception as error:
            # The message of a foreign error may quote what was said: only its type is logged.
            _LOG.warning("recognizer %s failed: %s", self.recognizer.name, type(error).__name__)
            return Hearing.without_text("asr_failed", _ms_since(started))

    def _hear_again(
        self, segment: Segment, heard: Hearing, go_on: Callable[[], bool]
    ) -> Hearing | None:
        """Return what is heard where the name is expected, if it was not read at first."""
        started = perf_counter()
        try:
            read = read_again(
                self.recognizer,
                self.addressing,
                segment.pcm,
                heard.transcript,
                go_on,
                start_sample=segment.start_sample,
            )
        except Exception as error:
            _LOG.warning("recognizer %s failed: %s", self.recognizer.name, type(error).__name__)
            read = heard.transcript
        if read is None:
            return None
        return replace(heard, transcript=read, asr_ms=heard.asr_ms + _ms_since(started))

    def score_heard(self, segment: Segment, hearing: Hearing) -> Scored:
        """Score `segment` with what was heard of it, and with what was said before."""
        return self.score_after(segment, hearing.after(self.turns.of(segment.start_sample)))

    def score_after(self, segment: Segment, hearing: Hearing) -> Scored:
        """Score `segment` with what was heard of it and the turn before that stands there."""
        started = perf_counter()
        try:
            said = self.addressing.said(hearing.transcript)
            detector = self.detector
            if said.use == "absent" and self.unnamed is not None:
                detector = self.unnamed
            given = detector.score(segment.pcm, hearing.transcript)
            score = replace(given, directed_probability=probability(given.directed_probability))
        except Exception as error:
            _LOG.warning("detector %s failed: %s", self.detector.name, type(error).__name__)
            return Scored(hearing, None, _ms_since(started))
        return Scored(hearing, score, _ms_since(started), said)

    def decide(
        self,
        segment: Segment,
        scored: Scored | None = None,
        *,
        waited_ms: float = 0.0,
        follow_up_log_odds: float | None = None,
    ) -> Utterance:
        """Return the terminal event of `segment`.

        Args:
            segment: with `dropped`, it is not decided.
            scored: what `score` returned; None calls it here.
            waited_ms: time between the endpoint and this call, part of the event's latency.
            follow_up_log_odds: what the utterances before say of this one (`FollowUp`), None
                where they are not asked.
        """
        started = perf_counter()
        if segment.dropped is not None:
            return self._drop(segment, segment.dropped)
        scored = scored or self.score(segment)
        assert scored is not None  # nobody says no
        hearing = scored.hearing
        if hearing.transcript.before != self.turns.of(segment.start_sample) and not scored.by_sound:
            # Scored ahead, while the utterance before was not decided yet.
            scored = self.score_heard(segment, hearing)
            hearing = scored.hearing
        if scored.score is None:
            return self._drop(segment, "error", hearing.degraded)
        threshold = self.threshold
        outcome = Outcome.of(
            scored.score.directed_probability,
            hearing.transcript,
            threshold,
            log_odds=follow_up_log_odds or 0.0,
            name_use=scored.said.use,
            address=self.addressing.weights(scored.said, segment.start_sample),
            by_sound=scored.by_sound,
            read=scored.score.read,
        )
        accepted = outcome.decision == "accepted"
        in_conversation = self.addressing.conversation.open_at(segment.start_sample)
        speaker = self.household.speaker(segment.pcm) if accepted else Speaker()
        reason: Reason | None = None if accepted else "not_directed"
        if speaker.refused:
            accepted, reason = False, "unknown_voice"
        if accepted:
            said = words_read(hearing.transcript, scored.score.read)
            self.turns.note(said, segment.end_sample, by_device=False)
        self.addressing.conversation.note(
            segment.start_sample,
            segment.end_sample,
            accepted=accepted,
            closes=scored.said.closes,
        )
        utterance = Utterance(
            id=segment.id,
            start_s=to_seconds(segment.start_sample),
            end_s=to_seconds(segment.end_sample),
            decision="accepted" if accepted else "rejected",
            reason=reason,
            degraded=segment.degraded + hearing.degraded,
            directed_probability=outcome.probability,
            threshold=threshold,
            text=hearing.transcript.text if accepted or self.show_rejected else None,
            asr=self._asr_report(hearing.transcript, scored.by_sound),
            latency_ms={
                "endpoint_to_decision": round(waited_ms + _ms_since(started), 3),
                "asr": round(hearing.asr_ms, 3),
                "turbo": round(scored.turbo_ms, 3),
                **speaker.latency_ms,
            },
            barge_in=segment.barge_in,
            follow_up_log_odds=follow_up_log_odds,
            # That it was called by its name is one of its words.
            evidence="voice" if speaker.refused else outcome.evidence,
            correction_id=self._remember(scored.score, outcome.evidence),
            over_noise_db=over_noise_db(segment.pcm) if accepted and self.tells_level else None,
            voice=speaker.name,
            voice_score=speaker.score,
        )
        self._note(segment, utterance, hearing.transcript.before, in_conversation)
        return utterance

    def forget(self, from_sample: int, *, last: bool = False) -> None:
        """Let go of what no speech that begins at `from_sample` or later has to do with.

        `last`: none is expected, and no sound is kept.
        """
        self.turns.forget(from_sample)
        if self.revision is not None:
            if last:
                self.revision.reset()
            else:
                self.revision.forget(from_sample)

    def _note(
        self, segment: Segment, utterance: Utterance, before: str, in_conversation: bool
    ) -> None:
        if self.revision is not None:
            self.whole = self.revision.note(
                segment, utterance, before=before, in_conversation=in_conversation
            )

    def lowest_threshold(self, most_follow_up: float = 0.0) -> float:
        """Return the lowest that `change_threshold` takes."""
        return shifted(self.sound_reject, self.addressing.most + most_follow_up)

    def change_threshold(self, threshold: float, most_follow_up: float = 0.0) -> None:
        """Accept from `threshold` on, where follow-ups add `most_follow_up` at most.

        Raises `InputError` above 1, and where speech without a text could be accepted.
        """
        lowest = self.lowest_threshold(most_follow_up)
        if not is_number(threshold) or not lowest <= threshold <= 1:
            raise InputError(
                f"`threshold` is {shown(threshold)}; give {lowest:g} to 1 while the stream goes on"
            )
        self.threshold = float(threshold)

    def reset(self) -> None:
        """Forget what was said, as a new stream does."""
        self.whole = None
        if self.revision is not None:
            self.revision.reset()
        self.addressing.reset()
        self.turns.reset()

    def _drop(self, segment: Segment, reason: Reason, degraded: tuple[str, ...] = ()) -> Utterance:
        utterance = Utterance(
            id=segment.id,
            start_s=to_seconds(segment.start_sample),
            end_s=to_seconds(segment.end_sample),
            decision="dropped",
            reason=reason,
            degraded=segment.degraded + degraded,
            directed_probability=None,
            threshold=self.threshold,
            text=None,
            asr={"backend": self.recognizer.name},
            barge_in=segment.barge_in,
        )
        self._note(segment, utterance, "", False)
        return utterance

    def _remember(self, score: Score, evidence: Evidence) -> str | None:
        # Where no word was heard no score decides, so there is nothing to correct.
        if self.learner is None or score.vectors is None or evidence == "no_words":
            return None
        return self.learner.remember(score.vectors)

    def _asr_report(self, transcript: Transcript, by_sound: bool) -> dict[str, Any]:
        found: dict[str, Any] = {"backend": self.recognizer.name}
        if by_sound:
            found["skipped"] = "rejected_by_sound"
        return {**found, **report(transcript)}


def safe_sound_reject(sound_reject: float, *, threshold: float, log_odds: float) -> float:
    """Return `sound_reject`, lowered so far that no speech without a text is ever accepted.

    It must not pass the `threshold`, also with the `log_odds` that the utterances before may add.
    """
    return min(sound_reject, shifted(threshold, -log_odds))


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
