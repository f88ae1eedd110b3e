"""What decides in one stream, made of the models and the choices of that stream."""

from collections.abc import Sequence

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.taught import TaughtName
from turbo_stream.deciding.decider import Decider, safe_sound_reject
from turbo_stream.deciding.household import Household
from turbo_stream.deciding.revision import Revision
from turbo_stream.deciding.second_reading import can_expect
from turbo_stream.deciding.turn_before import TurnBefore
from turbo_stream.detection.detector import Detector
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.events import Ready
from turbo_stream.learning.learner import Learner
from turbo_stream.recognition.recognizer import Recognizer
from turbo_stream.settings import Settings
from turbo_stream.voices.known import KnownVoices


def decider_of_stream(
    settings: Settings,
    ready: Ready,
    recognizer: Recognizer,
    turbo: TurboDetector,
    *,
    own: Detector | None,
    sound_reject: float,
    follow_up: float,
    taught: Sequence[TaughtName] = (),
    learner: Learner | None = None,
    voices: KnownVoices | None = None,
) -> Decider:
    """Return it.

    Args:
        settings: the choices.
        ready: what the stream says of itself, names and threshold among it.
        recognizer: makes the texts.
        turbo: scores, unless there is a detector of the caller's own.
        own: that detector.
        sound_reject: of Turbo's package, where the settings have none.
        follow_up: the most that follow-ups are favoured by, in log-odds.
        taught: how some of the names are said.
        learner: remembers what is decided, so that it can be corrected.
        voices: says whose accepted speech was.
    """
    addressing = Addressing.of(
        ready.address,
        ready.names,
        settings.conversation_s,
        reads_again=can_expect(recognizer),
        taught=taught,
    )
    if settings.sound_reject is not None:
        sound_reject = settings.sound_reject
    elif own is not None:
        # What Turbo makes of a sound says nothing of what another detector would.
        sound_reject = 0.0
    # A detector of the caller's own may read it: who knows.
    reads_before = turbo.marked or own is not None
    unnamed = None
    if turbo.marked:
        turbo = turbo.named(ready.names, addressing.names)
    elif own is None and ready.names:
        unnamed = turbo.named(())
    return Decider(
        recognizer,
        turbo if own is None else own,
        ready.threshold,
        addressing=addressing,
        unnamed=unnamed,
        turns=TurnBefore(round(settings.turn_before_s * SAMPLE_RATE) if reads_before else 0),
        show_rejected=settings.show_rejected,
        revision=Revision() if settings.revise else None,
        sound_scorer=turbo if own is None else None,
        sound_reject=safe_sound_reject(
            sound_reject,
            threshold=ready.threshold,
            log_odds=addressing.most + (follow_up if settings.follow_up else 0.0),
        ),
        learner=learner,
        household=Household(voices, settings.household_only),
    )
