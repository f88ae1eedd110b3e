"""The learner that all streams over the same models share, if they learn at all."""

from __future__ import annotations

from pathlib import Path

from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.detector import Detector
from turbo_stream.detection.fingerprint import fingerprint
from turbo_stream.detection.package import DIRECTED, ModelPackage
from turbo_stream.errors import InputError, PackageError
from turbo_stream.learning.example_file import ModelId
from turbo_stream.learning.general_speech import GENERAL_SPEECH_NAME, GeneralSpeech
from turbo_stream.learning.kernel import HeldKernel
from turbo_stream.learning.learner import Learner


def model_id(package: ModelPackage) -> ModelId:
    """Return which model `package` is, for a file of corrections."""
    return ModelId(package.name, package.version, fingerprint(package))


def kernel_of(package: ModelPackage) -> HeldKernel:
    """Return what knows the general speech of `package`, if it ships any.

    Raises:
        PackageError: the file is not what it should be.
    """
    if GENERAL_SPEECH_NAME not in package.files:
        return HeldKernel()
    return HeldKernel(GeneralSpeech.read(package.path(GENERAL_SPEECH_NAME)))


def learner_of_models(
    path: Path | None, package: ModelPackage, detector: Detector | None
) -> Learner | None:
    """Return the learner of the file `path`; None where nothing is learned.

    Raises:
        InputError: the file cannot be used, or there is a `detector` of the caller's own, which
            has no vectors to learn from.
        PackageError: the package has no class `directed`.
    """
    if path is None:
        return None
    if detector is not None:
        raise InputError(
            "a detector of your own was given, and `learn`: only Turbo has vectors to learn from; "
            "leave one of them out"
        )
    if DIRECTED not in package.labels:
        raise PackageError(
            f"{package.name} has no label {DIRECTED!r}, and `learn` learns no other; leave it out"
        )
    return Learner(path, model_id(package), kernel=kernel_of(package))


def learning_classifier(
    package: ModelPackage, learner: Learner | None, *, use_text: bool
) -> TurboClassifier:
    """Return the classifier of `package`, changed by what `learner` has learned.

    Raises:
        PackageError: the graph does not fit, or leaves no vectors that could be learned from.
    """
    if learner is None:
        return TurboClassifier(package, use_text=use_text)
    classifier = TurboClassifier(package, use_text=use_text, change=learner.change)
    if classifier.vectors_of_silence() is None:
        raise PackageError(
            f"the network of {package.name} gives no finite audio_embedding and text_embedding: "
            "nothing can be learned from it; leave `learn` out, or take another package"
        )
    return classifier
