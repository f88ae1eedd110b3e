"""The decision on one utterance: recognize, classify, and say no more than may be said."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from turbo_stream.detection.detector import Detector
from turbo_stream.events import Decision, Reason, Utterance
from turbo_stream.follow_up import shifted
from turbo_stream.recognition.recognizer import Recognizer, Transcript
from turbo_stream.segmentation.segment import Segment
from turbo_stream.timebase import to_seconds

_LOG = logging.getLogger(__name__)

# A recognizer that has failed or was not asked has said nothing: the classifier's "missing" input.
_NOTHING_HEARD = Transcript("", None)


@dataclass(frozen=True)
class Hearing:
    """What recognition made of an utterance, and how it went."""

    transcript: Transcript
    asr_ms: float
    degraded: tuple[str, ...] = ()

    @classmethod
    def without_text(cls, why: str, asr_ms: float = 0.0) -> Hearing:
        """Return a hearing that leaves the decision to the audio; `why` ends in `degraded`."""
        return cls(_NOTHING_HEARD, asr_ms, (why,))


@dataclass(frozen=True)
class Decider:
    """Turns segments into terminal events. Keeps no state: one can serve many streams."""

    recognizer: Recognizer
    detector: Detector
    show_rejected: bool = False
    """Put the text of rejected speech into its event. Off: it does not leave this object."""

    def hear(self, segment: Segment) -> Hearing:
        """Recognize `segment`; a failure of the recognizer is a degradation, not an error."""
        started = perf_counter()
        try:
            transcript = self.recognizer.transcribe(segment.pcm)
        except Exception as error:
            # The message of a foreign error may quote what was said: only its type is logged.
            _LOG.warning("recognizer %s failed: %s", self.recognizer.name, type(error).__name__)
            return Hearing.without_text("asr_failed", _ms_since(started))
        return Hearing(transcript, _ms_since(started))

    def decide(
        self,
        segment: Segment,
        hearing: Hearing | None = None,
        *,
        waited_ms: float = 0.0,
        barge_in: bool | None = None,
        follow_up_log_odds: float | None = None,
    ) -> Utterance:
        """Return the terminal event of `segment`.

        `hearing`: what `hear` returned, else it is called here. `waited_ms`: time between the
        endpoint and this call that the event's latency has to include. `follow_up_log_odds`: what
        the utterances before say of this one (`FollowUp`), None where they are not asked.
        """
        started = perf_counter()
        if segment.dropped is not None:
            return self.drop(segment, segment.dropped, barge_in=barge_in)
        hearing = hearing or self.hear(segment)
        turbo_started = perf_counter()
        try:
            detection = self.detector.detect(segment.pcm, hearing.transcript)
        except Exception as error:
            _LOG.warning("detector %s failed: %s", self.detector.name, type(error).__name__)
            return self.drop(segment, "error", degraded=hearing.degraded, barge_in=barge_in)
        latency_ms = {
            "endpoint_to_decision": round(waited_ms + _ms_since(started), 3),
            "asr": round(hearing.asr_ms, 3),
            "turbo": round(_ms_since(turbo_started), 3),
        }
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
            asr=self._asr_report(hearing.transcript),
            latency_ms=latency_ms,
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

    def _asr_report(self, transcript: Transcript) -> dict[str, Any]:
        report: dict[str, Any] = {"backend": self.recognizer.name}
        if transcript.guard is not None:
            report["guard"] = transcript.guard
        if (confidence := transcript.confidence) is not None:
            report["avg_logprob"] = confidence.avg_logprob
            report["no_speech_prob"] = confidence.no_speech_prob
            report["compression_ratio"] = confidence.compression_ratio
        return report


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000
