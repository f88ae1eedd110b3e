"""What the newest utterance changes of those before it."""

from collections.abc import Callable

from turbo_stream._util.timebase import to_seconds
from turbo_stream.deciding.decider import Decider, Outcome
from turbo_stream.deciding.revision import Whole
from turbo_stream.deciding.scored import Scored
from turbo_stream.events import Revised
from turbo_stream.segmentation.segment import Segment


def second_thoughts(
    decider: Decider, score: Callable[[Segment], Scored | None] | None = None
) -> list[Revised]:
    """Return what the utterance that `decider` decided last changes of those before, if anything.

    To be asked after each decision, by the same thread. Nothing where the detector fails.

    Args:
        decider: with a `revision`; without one there are no second thoughts.
        score: scores a segment; None for `decider.score`.
    """
    whole, decider.whole = decider.whole, None
    if whole is None:
        return []
    try:
        return _revised(decider, whole, score or decider.score)
    finally:
        whole.segment.overwrite()


def _revised(
    decider: Decider, whole: Whole, score: Callable[[Segment], Scored | None]
) -> list[Revised]:
    segment = whole.segment
    scored = score(segment)
    assert scored is not None  # nobody says no
    if scored.hearing.transcript.before != whole.before and not scored.by_sound:
        # Since then the pieces themselves may have become the turn before.
        scored = decider.score_after(segment, scored.hearing.after(whole.before))
    if scored.score is None:
        return []
    threshold, transcript = decider.threshold, scored.hearing.transcript
    outcome = Outcome.of(
        scored.score.directed_probability,
        transcript,
        threshold,
        log_odds=whole.follow_up_log_odds or 0.0,
        name_use=scored.said.use,
        address=decider.addressing.weights(
            scored.said, segment.start_sample, whole.in_conversation
        ),
        by_sound=scored.by_sound,
        read=scored.score.read,
    )
    accepted = outcome.decision == "accepted"
    return [
        Revised(
            id=segment.id,
            replaces=whole.replaces,
            start_s=to_seconds(segment.start_sample),
            end_s=to_seconds(segment.end_sample),
            decision="accepted" if accepted else "rejected",
            degraded=segment.degraded + scored.hearing.degraded,
            directed_probability=outcome.probability,
            threshold=threshold,
            text=transcript.text if accepted or decider.show_rejected else None,
            evidence=outcome.evidence,
        )
    ]
