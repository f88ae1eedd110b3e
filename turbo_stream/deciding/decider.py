"""The decision on one utterance: recognize, classify, and say no more than may be said."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from turbo_stream._util.timebase import to_seconds
from turbo_stream.deciding.follow_up import shifted
from turbo_stream.deciding.scored import Hearing, Judgement
from turbo_stream.detection.detector import Detection, Detector, Nameable
from turbo_stream.errors import InputError
from turbo_stream.events import Decision, Reason, Utterance
from turbo_stream.recognition.recognizer import Interruptible, Recognizer, Transcript
from turbo_stream.segmentation.segment import PauseJudge, Segment

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Decider:
    """Turns segments into terminal events. Keeps no state: one can serve many streams."""

    recognizer: Recognizer
    detector: Detector
    show_rejected: bool = False
    """Put the text of rejected speech into its event. Off: it does not leave this object."""

    sound_judge: PauseJudge | None = None
    """Says of a sound alone whom it was meant for; without one nothing is rejected by sound."""

    sound_reject: float = 0.0
    """Below this probability by the sound alone an utterance is rejected and no text is made of
    it; 0 makes a text of everything."""

    def for_stream(
        self,
        *,
        names: Sequence[str] | None,
        threshold: float | None,
        show_rejected: bool | None,
        log_odds: float,
    ) -> Decider:
        """Return a decider with the same models for a stream with settings of its own.

        None leaves what is set here; `log_odds`: what the utterances before may add. Raises
        `InputError` if `threshold` is no probability, or if the detector knows no names.
        """
        detector = copy(self.detector)
        if names is not None:
            if not isinstance(detector, Nameable):
                raise InputError(f"names were given, and {detector.name} has no use for them")
            detector = detector.named(names)
        if threshold is not None:
            if not 0 <= threshold <= 1:
                raise InputError(f"threshold is {threshold}, must be a probability from 0 to 1")
            detector.threshold = float(threshold)
        return replace(
            self,
            detector=detector,
            show_rejected=self.show_rejected if show_rejected is None else show_rejected,
            sound_reject=safe_sound_reject(
                self.sound_reject, threshold=detector.threshold, log_odds=log_odds
            ),
        )

    def judge(self, segment: Segment, go_on: Callable[[], bool] = lambda: True) -> Judgement | None:
        """Return text and score of `segment`, or None once `go_on` says no (asked between steps).

        A failure of the recognizer is a degradation, one of the detector an undecided utterance.
        """
        started = perf_counter()
        directed = self.directed_by_sound(segment) if self.sound_reject > 0 else None
        if directed is not None and directed < self.sound_reject:
            turbo_ms = _ms_since(started)
            # Asked to show what was rejected, a text is made all the same, to be shown alone.
            shown = self.hear(segment, go_on) if self.show_rejected else Hearing.without_text()
            if shown is None:
                return None
            return Judgement(shown, Detection(directed, {}), turbo_ms, by_sound=True)
        heard = self.hear(segment, go_on)
        if heard is None or not go_on():
            return None
        return self.detect(segment, heard)

    def directed_by_sound(self, segment: Segment) -> float | None:
        """Return what the sound alone says, None where nobody can say."""
        verdict = segment.pause
        if verdict is None or verdict.directed_probability is None:
            if self.sound_judge is None:
                return None
            try:
                verdict = self.sound_judge.judge(segment.pcm)
            except Exception as error:
                _LOG.warning("judging by sound failed: %s", type(error).__name__)
                return None
        return verdict.directed_probability

    def hear(self, segment: Segment, go_on: Callable[[], bool] = lambda: True) -> Hearing | None:
        """Recognize `segment`, or return None where `go_on` said no before that was done."""
        started = perf_counter()
        try:
            if isinstance(self.recognizer, Interruptible):
                transcript = self.recognizer.transcribe_while(segment.pcm, go_on)
            else:
                transcript = self.recognizer.transcribe(segment.pcm)
        except Exception as error:
            # The message of a foreign error may quote what was said: only its type is logged.
            _LOG.warning("recognizer %s failed: %s", self.recognizer.name, type(error).__name__)
            return Hearing.without_text("asr_failed", _ms_since(started))
        return None if transcript is None else Hearing(transcript, _ms_since(started))

    def detect(self, segment: Segment, hearing: Hearing) -> Judgement:
        """Score `segment` with what was heard of it."""
        started = perf_counter()
        try:
            detection = self.detector.detect(segment.pcm, hearing.transcript)
        except Exception as error:
            _LOG.warning("detector %s failed: %s", self.detector.name, type(error).__name__)
            return Judgement(hearing, None, _ms_since(started))
        return Judgement(hearing, detection, _ms_since(started))

    def decide(
        self,
        segment: Segment,
        judgement: Judgement | None = None,
        *,
        waited_ms: float = 0.0,
        barge_in: bool | None = None,
        follow_up_log_odds: float | None = None,
    ) -> Utterance:
        """Return the terminal event of `segment`.

        `judgement`: what `judge` returned, else it is called here. `waited_ms`: time between the
        endpoint and this call that the event's latency has to include. `follow_up_log_odds`: what
        the utterances before say of this one (`FollowUp`), None where they are not asked.
        """
        started = perf_counter()
        if segment.dropped is not None:
            return self.drop(segment, segment.dropped, barge_in=barge_in)
        judgement = judgement or self.judge(segment)
        assert judgement is not None  # nobody says no
        hearing, detection = judgement.hearing, judgement.detection
        if detection is None:
            return self.drop(segment, "error", degraded=hearing.degraded, barge_in=barge_in)
        probability = shifted(detection.directed_probability, follow_up_log_odds or 0.0)
        accepted = probability >= self.detector.threshold
        decision: Decision = "accepted" if accepted else "rejected"
        return Utterance(
            id=segment.id,
            start_s=to_seconds(segment.start_sample),
            end_s=to_seconds(segment.end_sample),
            decision=decision,
            reason=None if accepted else "not_directed",
            degraded=segment.degraded + hearing.degraded,
            directed_probability=probability,
            threshold=self.detector.threshold,
            text=hearing.transcript.text if accepted or self.show_rejected else None,
            asr=self._asr_report(hearing.transcript, judgement.by_sound),
            latency_ms={
                "endpoint_to_decision": round(waited_ms + _ms_since(started), 3),
                "asr": round(hearing.asr_ms, 3),
                "turbo": round(judgement.turbo_ms, 3),
            },
            barge_in=barge_in,
            follow_up_log_odds=follow_up_log_odds,
        )

    def drop(
        self,
        segment: Segment,
        reason: Reason,
        *,
        degraded: tuple[str, ...] = (),
        barge_in: bool | None = None,
    ) -> Utterance:
        """Return the terminal event of a segment that is not decided."""
        return Utterance(
            id=segment.id,
            start_s=to_seconds(segment.start_sample),
            end_s=to_seconds(segment.end_sample),
            decision="dropped",
            reason=reason,
            degraded=segment.degraded + degraded,
            directed_probability=None,
            threshold=self.detector.threshold,
            text=None,
            asr={"backend": self.recognizer.name},
            barge_in=barge_in,
        )

    def _asr_report(self, transcript: Transcript, by_sound: bool) -> dict[str, Any]:
        report: dict[str, Any] = {"backend": self.recognizer.name}
        if by_sound:
            report["skipped"] = "rejected_by_sound"
        if transcript.guard is not None:
            report["guard"] = transcript.guard
        if (confidence := transcript.confidence) is not None:
            report["avg_logprob"] = confidence.avg_logprob
            report["no_speech_prob"] = confidence.no_speech_prob
            report["compression_ratio"] = confidence.compression_ratio
        return report


def safe_sound_reject(sound_reject: float, *, threshold: float, log_odds: float) -> float:
    """Return `sound_reject`, lowered so far that no speech without a text is ever accepted.

    It must not pass the `threshold`, also with the `log_odds` that the utterances before may add.
    """
    return min(sound_reject, shifted(threshold, -log_odds))


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
