"""A detector of the caller's own, in Turbo's place."""

from collections.abc import Sequence

from turbo_stream.detection.detector import Detector, Nameable
from turbo_stream.errors import InputError
from turbo_stream.settings import Settings

OWN_THRESHOLD = 0.5
"""Of such a detector, where none is set."""


def check_own(detector: Detector | None, settings: Settings) -> None:
    """Raise `InputError` where `settings` are for Turbo and there is a `detector` instead."""
    if detector is not None and (settings.operating_point or settings.sound_reject):
        raise InputError(
            "a detector of your own was given: `operating_point` and `sound_reject` are Turbo's; "
            "leave them out"
        )


def own_detector(
    detector: Detector | None, names: Sequence[str], *, chosen: bool
) -> Detector | None:
    """Return the caller's `detector` for one stream, whose `names` may be `chosen` for it.

    Raises `InputError` where it has no use for them.
    """
    if isinstance(detector, Nameable):
        # One that came with names of its own keeps them where none are chosen here.
        return detector.named(names) if chosen or names else detector
    if detector is not None and chosen:
        raise InputError(f"`names` were given, and {detector.name} has no use for them")
    return detector
