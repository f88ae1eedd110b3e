"""What is said of a threshold that was found in a room."""

from turbo_stream.tuning.threshold import Tuned


def verdict(tuned: Tuned) -> str:
    """Return the threshold and what it costs, in one line."""
    point = tuned.chosen
    if point is None:
        return (
            f"no threshold keeps to {tuned.per_hour:g} an hour: give the device a name, allow "
            "more, or see what was recorded"
        )
    return (
        f"threshold {point.threshold:g}: {point.false_accepts} false accepts in "
        f"{minutes(point.hours)}; the true rate is at most {point.at_most_per_hour:.1f} an hour "
        "(95 %)"
    )


def too_short(tuned: Tuned) -> str | None:
    """Return one line where what was heard cannot prove the wanted rate."""
    if not tuned.per_hour or tuned.hours >= tuned.enough_hours:
        return None
    return (
        f"{minutes(tuned.hours)} cannot prove so few: an hour without any still allows 3.0 an "
        f"hour (95 %); to be sure, record {minutes(tuned.enough_hours)} without one"
    )


def minutes(hours: float) -> str:
    """Return a time as a person reads it."""
    return f"{60 * hours:.1f} min" if hours < 2 else f"{hours:.1f} h"
