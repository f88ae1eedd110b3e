"""What the pipeline says: one frozen dataclass per event, one JSON object per line."""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

from turbo_stream.addressing.address import Address

Decision = Literal["accepted", "rejected", "dropped"]
"""What became of an utterance."""

Reason = Literal["not_directed", "unknown_voice", "too_short", "overload", "source_lost", "error"]
"""Why it was not accepted; `unknown_voice`: it was meant for the device, and `household_only`."""

Evidence = Literal["name", "follow_up", "content", "translation", "no_words", "sound", "voice"]
"""What decided; see `Utterance.evidence`."""


@dataclass(frozen=True)
class BaseEvent:
    """Base of all events; the fields of a subclass are the fields of its JSON object."""

    kind: ClassVar[str]
    """Value of the JSON field `event`."""

    def to_json(self) -> dict[str, Any]:
        """Return the event as a JSON-ready dict, `event` first."""
        body = {f.name: getattr(self, f.name) for f in fields(self)}
        return {"event": self.kind, **body}


@dataclass(frozen=True)
class Ready(BaseEvent):
    """Models are loaded; sound is being listened to from here on."""

    kind: ClassVar[Literal["ready"]] = "ready"

    asr: str
    """Backend and model: `whisper:tiny.en`, `moonshine:tiny-en`, `pocketsphinx`, `none`."""

    vad: str
    model: str
    """Name of the Turbo package."""

    threshold: float
    names: tuple[str, ...] = ()
    """What the device is called."""

    address: Address = "open"
    """Whether it must be called by its name: `named`, `named-or-sure`, `open`."""

    language: str = "en"
    version: str = ""
    """Of turbo_stream."""


@dataclass(frozen=True)
class SpeechStarted(BaseEvent):
    """Somebody speaks; an `Utterance` of the same id follows."""

    kind: ClassVar[Literal["speech_started"]] = "speech_started"

    id: int
    time_s: float
    """Equals `start_s` of the utterance."""


@dataclass(frozen=True)
class Partial(BaseEvent):
    """The text so far of an utterance that is still being spoken; live sources only.

    Only once the sound alone says accepted, or where rejected speech is shown too.
    """

    kind: ClassVar[Literal["partial"]] = "partial"

    id: int
    text: str
    stable: int
    """So many characters at the front of `text` are in every later partial of this `id`."""


@dataclass(frozen=True)
class Utterance(BaseEvent):
    """The one terminal event of an utterance."""

    kind: ClassVar[Literal["utterance"]] = "utterance"

    ONLY_WHERE_KNOWN: ClassVar[tuple[str, ...]] = (
        "barge_in",
        "follow_up_log_odds",
        "correction_id",
        "over_noise_db",
        "answered_by",
        "voice_score",
    )
    """Fields that its JSON object has only where they are known."""

    id: int
    start_s: float
    """Start of the speech itself, without pre-roll."""

    end_s: float
    """End of the speech itself, without end silence."""

    decision: Decision
    reason: Reason | None
    """None if accepted."""

    degraded: tuple[str, ...]
    """Stated steps by which quality was lost: `gap`, `cut_off`, `asr_skipped`, `asr_late`,
    `asr_failed`."""

    directed_probability: float | None
    """None if dropped; 0 where a recognizer found no word."""

    threshold: float
    text: str | None
    """None for rejected speech (unless asked for), for dropped speech, and for what another room
    answers; of other accepted speech empty only where no text was made of it."""

    asr: dict[str, Any]
    """`backend` and, where known, `avg_logprob`, `no_speech_prob`, `compression_ratio`; `skipped`
    says why no text was made: `rejected_by_sound`; `known` is false where the text is not what was
    said; `language` is what a multilingual recognizer took it for."""

    latency_ms: dict[str, float] = field(default_factory=dict)
    """`endpoint_to_decision`, `asr`, `turbo`; the latter two may lie before the endpoint. Where
    rooms agree who answers, of accepted speech also `agreement`, which comes on top."""

    barge_in: bool | None = None
    """Spoken while the device itself was playing; None where no echo reference is given."""

    follow_up_log_odds: float | None = None
    """What an accepted utterance before has added to the log-odds that `directed_probability` is
    of; None unless follow-ups are favoured."""

    evidence: Evidence | None = None
    """What decided: `name` (it was called; of rejected speech: it was not), `content` (sound and
    words), `translation` (sound and the English of the words), `sound` (alone), `no_words` (a
    recognizer found none, which rejects), `follow_up` (without the utterance before it would have
    been decided the other way). None if dropped."""

    correction_id: str | None = None
    """By which the decision can be corrected, for ten minutes; random. None unless corrections are
    learned from, and where no score decided: dropped, `no_words`, or rejected by the sound before a
    text was made."""

    over_noise_db: float | None = None
    """How far accepted speech stood out of the noise of its room. None unless rooms agree who
    answers, which is whoever heard it best."""

    answered_by: str | None = None
    """The other room that answers this accepted utterance: do not act on it. None where it is to be
    answered here."""

    @property
    def answered_here(self) -> bool:
        """Whether to act on it: it was accepted, and no other room answers it."""
        return self.decision == "accepted" and self.answered_by is None

    voice: str | None = None
    """Whose accepted speech was, of the voices that are known; None for nobody's of these. Its JSON
    object has it where it has a `voice_score`."""

    voice_score: float | None = None
    """How like the nearest known voice it sounds, at most 1. None unless voices are known and the
    speech was accepted."""

    def to_json(self) -> dict[str, Any]:
        """Return the event as a JSON-ready dict, `ONLY_WHERE_KNOWN` without what is None."""
        body = super().to_json()
        if self.voice_score is None:
            del body["voice"]
        for name in self.ONLY_WHERE_KNOWN:
            if body[name] is None:
                del body[name]
        return body


@dataclass(frozen=True)
class Revised(BaseEvent):
    """Second thoughts: utterances so close to each other that they may be one, decided as one.

    Only where that was asked for. It comes after the terminal event of its last piece and before
    that of the next utterance, and takes nothing back: whoever wants to puts it in the place of all
    of its pieces.
    """

    kind: ClassVar[Literal["revised"]] = "revised"

    id: int
    """Of the last piece, whose terminal event has just been told."""

    replaces: tuple[int, ...]
    """Ids of the pieces before it, in order; the terminal event of each was told before."""

    start_s: float
    """Start of the first piece."""

    end_s: float
    """End of the last piece."""

    decision: Literal["accepted", "rejected"]
    degraded: tuple[str, ...]
    directed_probability: float
    threshold: float
    text: str | None
    """None for rejected speech (unless asked for)."""

    evidence: Evidence


@dataclass(frozen=True)
class GapReported(BaseEvent):
    """Samples were lost; times after the gap stay right."""

    kind: ClassVar[Literal["gap"]] = "gap"

    time_s: float
    """Where the gap begins."""

    lost_samples: int
    cause: str


@dataclass(frozen=True)
class SourceChanged(BaseEvent):
    """The source went away, came back, gave up, or delivers nothing but zeros (`muted`)."""

    kind: ClassVar[Literal["source"]] = "source"

    state: Literal["active", "reconnecting", "unavailable", "muted"]
    detail: str = ""


@dataclass(frozen=True)
class LearningReported(BaseEvent):
    """What a server answers whoever corrects a decision, or undoes that. No stream says it."""

    kind: ClassVar[Literal["learned"]] = "learned"

    correction_id: str | None
    """Of the utterance that was corrected, as it was given; None where one was undone."""

    state: Literal["used", "waiting"] | None = None
    """Whether what was learned is used, or waits for proof that it is better than what shipped.
    None, and so are the numbers, where nothing was learned."""

    directed: int | None = None
    """Corrections, so far, of speech meant for the device."""

    other: int | None = None
    """And of other speech."""

    wanted: int | None = None
    """How many more are wanted before it is tried again; 0 when used."""

    error: str | None = None
    """Why nothing was learned."""


@dataclass(frozen=True)
class Finished(BaseEvent):
    """The stream ended; its accounts."""

    kind: ClassVar[Literal["finished"]] = "finished"

    audio_s: float
    """Sound that was heard: `speech_s` + `silence_s`."""

    speech_s: float
    silence_s: float
    lost_samples: int
    """`audio_s` plus these is the time of the stream."""

    utterances: int
    accepted: int
    rejected: int
    dropped: int
    real_time_factor: float | None
    """Time spent processing (processor time when live) over `audio_s`; None without audio."""

    speculation: dict[str, Any] | None = None
    """What scoring ahead of the end cost: pauses at which it was `started`, `used` and
    `declined`, and `wasted_s` of work thrown away; None where nothing is scored ahead."""

    def to_json(self) -> dict[str, Any]:
        """Return the event as a JSON-ready dict; the last field only where it is known."""
        body = super().to_json()
        if body["speculation"] is None:
            del body["speculation"]
        return body


Event = (
    Ready | SpeechStarted | Partial | Utterance | Revised | GapReported | SourceChanged | Finished
)
"""Any event. `event.kind` tells a type checker which one it is, as `isinstance` does."""
