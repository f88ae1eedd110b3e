"""Puts a pipeline together from the names a user gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from turbo_stream.errors import InputError
from turbo_stream.events import Ready

if TYPE_CHECKING:
    from turbo_stream.detection.detector import Detector
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.pipeline import Pipeline
    from turbo_stream.recognition.recognizer import Recognizer
    from turbo_stream.recognition.window import WindowConfig


def load_pipeline(
    pipeline_class: type[Pipeline],
    *,
    model: str | Path | None,
    asr: str | Recognizer,
    detector: Detector | None,
    vad: str | None,
    names: tuple[str, ...],
    threshold: float | None,
    operating_point: str | None,
    language: str | None,
    window: WindowConfig | None,
    show_rejected: bool,
    follow_up: bool,
    sound_reject: float | None,
    turn_model: str | Path | None,
    say: Callable[[str], None],
) -> Pipeline:
    """Load what `Pipeline.load` documents and run each model once."""
    import turbo_stream
    from turbo_stream.deciding.decider import Decider, safe_sound_reject
    from turbo_stream.deciding.follow_up import FollowUp
    from turbo_stream.deciding.turn_taking import TurnTaking
    from turbo_stream.detection.package import ModelPackage
    from turbo_stream.detection.turbo import TurboDetector, text_notice
    from turbo_stream.recognition.auto import load_recognizer
    from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

    package = ModelPackage.load(Path(model) if model is not None else None)
    if detector is None:
        threshold = _threshold(package, threshold, operating_point)
    elif threshold is not None or operating_point is not None or sound_reject:
        raise InputError("a detector of your own was given: it has its own threshold, set it there")
    if sound_reject is not None and not 0 <= sound_reject < 1:
        raise InputError(f"sound_reject is {sound_reject}, must be a probability from 0 to below 1")
    voice_activity = load_vad(vad or DEFAULT_VAD)
    notice = text_notice(package, language)
    if notice is not None:
        say(notice)
    # Before the recognizer, which may take seconds: a wrong threshold is told at once.
    turbo = TurboDetector(package, names=names, threshold=threshold, use_text=notice is None)
    if isinstance(asr, str):
        recognizer = load_recognizer(asr, language=language, window=window, say=say)
    else:
        recognizer = asr
    if detector is None:
        package.check_recognizer(recognizer)
    recognizer.warm_up()
    judge = turbo if detector is None else detector
    judge.warm_up()
    turn_taking = TurnTaking.load(package, turbo, turn_model)
    turn_taking.warm_up()
    ready = Ready(
        asr=recognizer.name,
        vad=voice_activity.name,
        model=judge.name,
        threshold=judge.threshold,
        names=names,
        language=language or package.language,
        version=turbo_stream.__version__,
    )
    prior = package.follow_up if follow_up else None
    decider = Decider(
        recognizer,
        judge,
        show_rejected=show_rejected,
        # What Turbo makes of a sound says nothing of what another detector would.
        sound_judge=turbo if detector is None else None,
        sound_reject=safe_sound_reject(
            package.sound_reject if sound_reject is None else sound_reject,
            threshold=judge.threshold,
            log_odds=prior.log_odds if prior else 0.0,
        ),
    )
    return pipeline_class(
        turn_taking.segmenter(voice_activity),
        decider,
        ready=ready,
        follow_up=FollowUp(prior) if prior else None,
        new_segmenter=lambda: turn_taking.segmenter(load_vad(vad or DEFAULT_VAD)),
    )


def _threshold(package: ModelPackage, threshold: float | None, point: str | None) -> float:
    if threshold is None:
        return package.threshold(point)
    if point is not None:
        raise InputError("a threshold and an operating point were both given: give one of them")
    return threshold
