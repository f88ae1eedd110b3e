"""What a view is."""

from typing import Protocol

from turbo_stream.audio.source import Source
from turbo_stream.events import Event, Finished, Ready, Revised, Utterance


class View(Protocol):
    """Shows the events of one run, from `Ready` to `Finished`."""

    def watch(self, source: Source) -> Source:
        """Return `source`, perhaps with an ear on its level."""
        ...

    def show(self, event: Event) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found; idempotent."""
        ...


BAR_CELLS = 10
DECISIONS = {"accepted": "ACCEPTED", "rejected": "rejected", "dropped": "dropped"}
REASONS = {
    "too_short": "too short",
    "overload": "too much at once",
    "source_lost": "source lost",
    "error": "failed, see the log",
}


DEGRADED = {
    "gap": "sound was lost",
    "cut_off": "cut off",
    "asr_skipped": "no time for its text",
    "asr_late": "text too late",
    "asr_failed": "the recognizer failed",
}
"""What each stated loss of quality is to a person."""


def clock(seconds: float) -> str:
    """Return a time of the stream: `1:02.3`, or `1:00:02.3` from an hour on."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def bar(fraction: float, cells: int = BAR_CELLS) -> str:
    """Return `fraction`, in [0, 1], as a bar of eighth blocks, always `cells` wide."""
    eighths = round(max(0.0, min(1.0, fraction)) * cells * 8)
    full, rest = divmod(eighths, 8)
    partial = " ▏▎▍▌▋▊▉"[rest] if rest else ""
    return ("█" * full + partial).ljust(cells)


def heading(ready: Ready) -> str:
    """Return what is listening, in one line."""
    names = f" · {ready.address}: {', '.join(ready.names)}" if ready.names else " · open"
    return (
        f"turbo-listen {ready.version} · asr {ready.asr} · vad {ready.vad} · "
        f"{ready.model} ≥ {ready.threshold:.2f}{names}"
    )


def said(utterance: Utterance) -> str:
    """Return what may be shown of the words, and by what the decision rests on less."""
    lost = [DEGRADED.get(step, step) for step in utterance.degraded]
    if utterance.decision == "dropped":
        return f"({'; '.join([REASONS[utterance.reason or 'error'], *lost])})"
    if utterance.text is None:
        why = "an unknown voice" if utterance.reason == "unknown_voice" else "not for the device"
        return f"({'; '.join([why, *lost])})"
    who = [] if utterance.voice is None else [utterance.voice]
    if not utterance.text:
        return f"({'; '.join([*(lost or ['no words recognized']), *who])})"
    notes = [*lost, *who]
    return f"{utterance.text} ({'; '.join(notes)})" if notes else utterance.text


def revised(event: Revised) -> str:
    """Return a second thought, in one line."""
    span = f"{clock(event.start_s)}–{clock(event.end_s)}"
    words = event.text or (
        "(not for the device)" if event.text is None else "(no words recognized)"
    )
    score = f"{event.directed_probability:4.2f}"
    return f"{span:>15}  together: {DECISIONS[event.decision]}  {score}  {words}"


def latency(utterance: Utterance) -> str:
    """Return the time between endpoint and decision, or nothing where there was no decision."""
    if "endpoint_to_decision" not in utterance.latency_ms:
        return ""
    return f"{utterance.latency_ms['endpoint_to_decision']:.0f} ms"


def totals(finished: Finished) -> str:
    """Return the accounts of the stream, in one line."""
    factor = finished.real_time_factor
    speed = "" if factor is None else f" · real-time factor {factor:.3f}"
    lost = f" · {finished.lost_samples} samples lost" if finished.lost_samples else ""
    return (
        f"{clock(finished.audio_s)} heard, {clock(finished.speech_s)} of it speech · "
        f"{finished.utterances} utterances: {finished.accepted} accepted, "
        f"{finished.rejected} rejected, {finished.dropped} dropped{lost}{speed}"
    )
