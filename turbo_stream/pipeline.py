"""What is loaded once, and one stream over it: samples in, events out.

A `Pipeline` is the synchronous core, a pure function of the samples seen so far. `Models` is what
every stream shares. Everything that listens, serves, evaluates or measures is put together here.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import turbo_stream
from turbo_stream._util.origin import Origin
from turbo_stream.addressing.address import Address, choose_address
from turbo_stream.addressing.taught import TaughtName, notices
from turbo_stream.audio.source import Block, Connection, Pcm, SourceItem, check_source
from turbo_stream.deciding.ahead import Ahead
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.decider_of_stream import decider_of_stream
from turbo_stream.deciding.follow_up import FollowUp
from turbo_stream.deciding.learner_of_models import learner_of_models, learning_classifier
from turbo_stream.deciding.own_detector import OWN_THRESHOLD, check_own, own_detector
from turbo_stream.deciding.recognizer_of_models import recognizer_of_models
from turbo_stream.deciding.scored import Scored
from turbo_stream.deciding.second_thoughts import second_thoughts
from turbo_stream.deciding.totals import Totals
from turbo_stream.deciding.turn_taking import TurnTaking
from turbo_stream.deciding.whole_source import events_of_chunks, events_of_items
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.detector import Detector
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import TurboDetector, reads
from turbo_stream.events import Event, Finished, Ready, Utterance
from turbo_stream.learning.learner import Learned, Learner, known
from turbo_stream.recognition.recognizer import NoRecognizer, Recognizer
from turbo_stream.segmentation.segment import Segment
from turbo_stream.segmentation.segmented_stream import SegmentedStream, StreamOutput
from turbo_stream.segmentation.vad import load_vad
from turbo_stream.settings import Settings
from turbo_stream.voices.known import KnownVoices, known_voices

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Models:
    """What is loaded once and shared by every stream. Threads may share it."""

    settings: Settings
    package: ModelPackage
    classifier: TurboClassifier
    recognizer: Recognizer
    turn_taking: TurnTaking

    detector: Detector | None = None
    """The caller's own; None for Turbo, which is then made of the classifier for each stream."""

    taught: tuple[TaughtName, ...] = ()
    """How names are said; others than a stream's are passed over."""

    learner: Learner | None = None
    """Learns from corrections, for all streams; None where `learn` was not given."""

    voices: KnownVoices | None = None
    """Says whose accepted speech was, for all streams; None where `voices` was not given."""

    _origin: Origin = field(
        default_factory=lambda: Origin("models"), init=False, repr=False, compare=False
    )

    @classmethod
    def load(
        cls,
        settings: Settings | None = None,
        *,
        detector: Detector | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Models:
        """Load the models and run each once, so that the first utterance is not slower.

        Args:
            settings: what to load, and what its streams do unless they are told otherwise.
            detector: your own; None for Turbo.
            say: told in one line what was chosen and why; None sends it to the log.

        Raises:
            InputError: a setting names something that is not there or not allowed.
            PackageError: the model package is incomplete or fails its hashes.
        """
        settings, say = settings or Settings(), say or _LOG.info
        taught = tuple(TaughtName.read(path) for path in settings.taught)
        package = ModelPackage.load(None if settings.model is None else Path(settings.model))
        check_own(detector, settings)
        if settings.operating_point is not None:
            package.threshold(settings.operating_point)  # says if there is none of that name
        load_vad(settings.vad)  # says at once if it cannot be had; each stream has its own
        learner = learner_of_models(settings.learn, package, detector)
        use_text = reads(package, settings.language)
        classifier = learning_classifier(package, learner, use_text=use_text)
        if learner is not None:
            say(f"{learner.path}: {learner.learned}")
        voices = known_voices(settings.voices, say)
        recognizer = recognizer_of_models(settings, package, say)
        if detector is None:
            package.check_recognizer(recognizer)
        turn_taking = TurnTaking.load(package, settings.turn_model)
        loaded = (package, classifier, recognizer, turn_taking)
        models = cls(settings, *loaded, detector, taught, learner, voices)
        for line in notices(taught, recognizer.name):
            say(line)
        for part in (recognizer, detector, classifier, turn_taking):
            if part is not None:
                part.warm_up()
        return models

    def threshold(self, settings: Settings | None = None) -> float:
        """Return the score from which on speech is accepted; of these models by default.

        Raises:
            PackageError: the model has no class `directed`.
        """
        settings = settings or self.settings
        if settings.threshold is not None:
            return float(settings.threshold)
        if self.detector is not None:
            return OWN_THRESHOLD
        return self.package.threshold(settings.operating_point)

    def ready(self, settings: Settings | None = None) -> Ready:
        """Return the event that says what is listening."""
        settings = settings or self.settings
        hears = not isinstance(self.recognizer, NoRecognizer)
        return Ready(
            asr=self.recognizer.name,
            vad=settings.vad,
            model=self.package.name if self.detector is None else self.detector.name,
            threshold=self.threshold(settings),
            names=settings.names,
            address=choose_address(settings.address, settings.names, hears=hears),
            language=settings.language or self.package.language,
            version=turbo_stream.__version__,
        )

    def stream(self, **choices: Any) -> Pipeline:
        """Return one more stream over these models, with nothing else shared.

        `choices` are the fields of `Settings` that may differ between streams: `names`, `address`,
        `conversation_s`, `threshold`, `show_rejected`, `partials`. None is as it was loaded.

        Raises:
            InputError: a choice is not allowed, or the detector knows no names.
            PackageError: the model has no class `directed`.
            ForkError: this process was forked from the one that loaded the models.
        """
        self._origin.check()
        settings = self.settings.for_stream(**choices)
        own = own_detector(self.detector, settings.names, chosen=choices.get("names") is not None)
        turbo = TurboDetector(self.package, names=settings.names, classifier=self.classifier)
        ready, prior = self.ready(settings), self.package.follow_up
        decider = decider_of_stream(
            settings,
            ready,
            self.recognizer,
            turbo,
            own=own,
            sound_reject=self.package.sound_reject,
            follow_up=prior.log_odds,
            taught=self.taught,
            learner=self.learner,
            voices=self.voices,
        )
        return Pipeline(
            SegmentedStream(self.turn_taking.segmenter(load_vad(settings.vad), turbo)),
            decider,
            ready=ready,
            partials=settings.shows_partials,
            follow_up=FollowUp(prior) if settings.follow_up else None,
        )


class Pipeline:
    """One stream: segmenter, recognizer, detector, threshold, and the accounts.

    Events do not depend on how the samples were cut into calls of `process`, and more samples
    never change an event already returned. Not thread-safe: one thread feeds it. In a process
    forked from the one that made it, whatever is fed raises `ForkError`.
    """

    def __init__(
        self,
        segmented: SegmentedStream,
        decider: Decider,
        *,
        ready: Ready,
        partials: bool = True,
        follow_up: FollowUp | None = None,
    ) -> None:
        """Take the parts; nobody else feeds them. `Models.stream` has them made."""
        self.segmented = segmented
        self.decider = decider
        self.ready = ready
        """The event that `run` begins with: what is listening."""
        self.partials = partials
        """The live shell says text while speech goes on."""
        self.on_decision: Callable[[Segment, Utterance], None] | None = None
        """Told each decision with its sound, on the thread that decides; only where somebody sets
        it does turbo_stream show sound to anybody. It must return at once. What it raises is logged
        by its type, and the decision stands."""
        self._follow_up = follow_up
        self._most_follow_up = 0.0 if follow_up is None else follow_up.prior.log_odds
        self._totals = Totals()
        self._ahead = Ahead()

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        *,
        detector: Detector | None = None,
        say: Callable[[str], None] | None = None,
        **choices: Any,
    ) -> Pipeline:
        """Load models for one stream, and return it: `Models.load` and `Models.stream` in one.

        `choices` are the other fields of `Settings`, such as `names=["friday"]`.

        Raises:
            InputError: a choice names something that is not there or not allowed.
            PackageError: the model package is incomplete or fails its hashes.
            TypeError: `Settings` has no such field.
        """
        return Models.load(Settings(model, **choices), detector=detector, say=say).stream()

    @property
    def threshold(self) -> float:
        """The score from which on this stream accepts; may be set while it goes on.

        Setting it raises `InputError` above 1, and where speech without a text could be accepted:
        below what the sound alone rejects, with what follow-ups may add.
        """
        return self.decider.threshold

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        self.decider.change_threshold(threshold, self._most_follow_up)

    @property
    def lowest_threshold(self) -> float:
        """The lowest that `threshold` may be set to."""
        return self.decider.lowest_threshold(self._most_follow_up)

    @property
    def address(self) -> Address:
        """How this stream's device is addressed; may be set while it goes on, from any thread.

        Speech that has begun is decided as it was addressed; `ready` says what holds now. Setting
        it raises `InputError` where the device has no name, or nothing hears one.
        """
        return self.decider.addressing.mode

    @address.setter
    def address(self, address: Address) -> None:
        hears = not isinstance(self.decider.recognizer, NoRecognizer)
        mode = choose_address(address, self.ready.names, hears=hears)
        self.decider.addressing.change(mode, self.segmented.now_sample)
        self.ready = replace(self.ready, address=mode)

    def process(self, pcm: Pcm, reference: Pcm | None = None) -> list[Event]:
        """Feed `pcm`, `[N]` int16 at 16 kHz; return the events these samples complete.

        `reference`, `[N]`, is what the device itself played meanwhile: its echo is muted, and
        utterances spoken over it are marked `barge_in`.
        """
        self._ahead.sound_came()
        return self._decided(self.segmented.process(pcm, reference))

    def gap(self, lost_samples: int, cause: str) -> list[Event]:
        """Advance the stream by `lost_samples` that nobody heard."""
        return self._decided(self.segmented.gap(lost_samples, cause))

    def connection(self, change: Connection) -> list[Event]:
        """Note that the source changed; an utterance that it broke off is dropped."""
        return self._decided(self.segmented.connection(change))

    def feed(self, item: SourceItem) -> list[Event]:
        """Process one item of a source."""
        if isinstance(item, Block):
            return self.process(item.pcm, item.reference)
        return self._decided(self.segmented.feed(item))

    def said(self, text: str, *, at_sample: int | None = None) -> None:
        """Tell what the device says, or has just said; from any thread.

        It is the turn before speech that begins within `turn_before_s` after it, if the detector
        reads that. `at_sample`: where in the stream it is said; None for here. Raises `InputError`
        for what is no text.
        """
        at_sample = self.segmented.now_sample if at_sample is None else at_sample
        self.decider.turns.note(text, at_sample, by_device=True)

    def correct(self, correction_id: str, directed: bool, *, origin: str = "api") -> Learned:
        """Learn that an utterance was meant for the device, or was not; from any thread.

        It holds from the next utterance on, for all streams over these models. `correction_id` is
        that of its event; `learned` says what came of it. Raises `InputError` where `learn` was
        not given, or nobody remembers that utterance.
        """
        return known(self.decider.learner).correct(correction_id, directed, origin=origin)

    @property
    def paused(self) -> bool:
        """Whether sound is taken for silence at present."""
        return self.segmented.paused

    def pause(self) -> list[Event]:
        """Stop listening, as while the device itself speaks; ends an open utterance.

        Samples fed while paused count as silence, so that times stay right.
        """
        return self._decided(self.segmented.pause())

    def resume(self) -> None:
        """Listen again."""
        self.segmented.resume()

    def flush(self) -> list[Event]:
        """End the stream: an utterance still open is decided now."""
        return self._decided(self.segmented.flush(), last=True)

    def abort(self) -> list[Event]:
        """End the stream, whose source has failed: an utterance that it broke off is dropped."""
        return self._decided(self.segmented.abort(), last=True)

    def reset(self) -> None:
        """Start a new stream with the same models."""
        self.segmented.reset()
        self._totals.reset()
        self._ahead.reset()
        self.decider.reset()
        if self._follow_up is not None:
            self._follow_up.reset()

    def run(self, source: Iterable[SourceItem]) -> Iterator[Event]:
        """Yield the events of a whole source: `Ready` first, `Finished` last.

        Everything happens in the caller's thread, so a source that loses sound when nobody
        reads (a microphone) wants `LivePipeline` instead; `events_of` chooses. Raises what the
        source raised, after the terminal event of an utterance that it broke off.
        """
        self.segmented.origin.check()
        check_source(source)
        yield from events_of_items(self, source)

    def stream(self, chunks: AsyncIterable[Pcm]) -> AsyncIterator[Event]:
        """Yield the events of an asynchronous stream of samples, as `run` does.

        Each chunk is processed in a worker thread, so that the event loop stays free.
        """
        return events_of_chunks(self, chunks)

    def decide(
        self, segment: Segment, scored: Scored | None = None, *, waited_ms: float = 0.0
    ) -> Utterance:
        """Return the terminal event of `segment` and enter it into the accounts.

        The one place where both shells decide. Segments come in order; `scored` and `waited_ms`
        as of `Decider.decide`. What is not accepted has its sound overwritten, unless it was shown
        to somebody, whose it is then.
        """
        follow_up = None if self._follow_up is None else self._follow_up.log_odds(segment)
        utterance = self.decider.decide(
            segment, scored, waited_ms=waited_ms, follow_up_log_odds=follow_up
        )
        self._totals.add(utterance)
        if self._follow_up is not None:
            self._follow_up.note(utterance)
        if self.on_decision is not None:
            try:
                self.on_decision(segment, utterance)
            except Exception as error:
                _LOG.warning("`on_decision` failed: %s", type(error).__name__)
        elif utterance.decision != "accepted":
            segment.overwrite()
        return utterance

    def finished(self, busy_s: float | None = None) -> Finished:
        """Return the accounts of the stream so far."""
        return self._totals.finished(self.segmented.segmenter, busy_s)

    def _decided(self, outputs: list[StreamOutput], *, last: bool = False) -> list[Event]:
        events = self._ahead.events_of(outputs, self.decider, self._said_of)
        self.decider.forget(self.segmented.segmenter.earliest_start, last=last)
        self._ahead.wait(self.segmented.now_sample)
        return events

    def _said_of(self, segment: Segment, scored: Scored | None) -> list[Event]:
        return [self.decide(segment, scored), *second_thoughts(self.decider)]
