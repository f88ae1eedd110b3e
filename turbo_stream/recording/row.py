"""What the manifest says of a recording: what was decided, and never what is true."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from turbo_stream._util.timebase import to_seconds
from turbo_stream.events import Utterance
from turbo_stream.segmentation.segment import Segment


def recorded_row(
    path: str, segment: Segment, utterance: Utterance, *, at: datetime, names: tuple[str, ...]
) -> dict[str, Any]:
    """Return the row of a recording, named as in turbo-eval's `predictions.jsonl`.

    No `label` and no `text`: those are for what a person says. `text_used` and `asr` are left out
    where no text was made or it may not be told, so that nobody takes that for silence.
    """
    row: dict[str, Any] = {
        "audio_filepath": path,
        "duration": to_seconds(len(segment.pcm)),
        "recorded_at": at.isoformat(timespec="milliseconds"),
        "set": "recorded",
        "decision": utterance.decision,
        "directed_probability": utterance.directed_probability,
        "threshold": utterance.threshold,
    }
    unheard = any(step.startswith("asr_") for step in utterance.degraded)
    if utterance.text is not None and not unheard:
        row |= {"text_used": utterance.text, "asr": utterance.asr}
    if utterance.degraded:
        row["degraded"] = list(utterance.degraded)
    # The column holds one name; with several nobody knows which of them was meant.
    if len(names) == 1:
        row["device_name"] = names[0]
    return row
