"""A model package: a folder with the graph, its tokenizer, and `turbo.json` about both."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.files import open_regular
from turbo_stream._util.onnx_external import external_files
from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.detection.audio_input import (
    RecognizerInput,
    SoundInput,
    StatesInput,
    WaveformInput,
)
from turbo_stream.detection.follow_up_prior import FollowUpPrior
from turbo_stream.detection.manifest import MANIFEST_NAME, Manifest, is_text
from turbo_stream.errors import InputError, PackageError
from turbo_stream.recognition.recognizer import Recognizer


@dataclass(frozen=True)
class AffineCalibration:
    """One slope for all classes and one offset for each, fitted on held-out utterances.

    Source: temperature scaling (Guo et al. 2017, arXiv 1706.04599) with the per-class bias of
    the same paper's vector scaling; with two classes this is Platt's sigmoid.
    """

    scale: float
    """Factor on every logit, above 0, so that calibration never reorders two utterances."""

    bias: tuple[float, ...]
    """Offset of each class, `[K]`, in the order of the package's labels."""

    def probabilities(self, logits: NDArray[Any]) -> NDArray[np.float64]:
        """Return `softmax(scale * logits + bias)` of `logits`, `[..., K]`, in float64."""
        scores = self.scale * np.asarray(logits, np.float64) + np.asarray(self.bias)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))

    def log_odds(self, logits: NDArray[Any], index: int) -> float:
        """Return the log-odds of the class `index`, of `logits`, `[K]`: exact where it is sure."""
        scores = self.scale * np.asarray(logits, np.float64) + np.asarray(self.bias)
        return float(scores[index] - np.logaddexp.reduce(np.delete(scores, index)))


FORMAT = 1
"""The one value of `format` that this version reads."""

SHIPPED = Path(__file__).parent.parent / "assets" / "turbo-rej-en"
"""The package that comes with turbo_stream."""

GRAPH_NAME = "model.int8.onnx"
TOKENIZER_NAME = "tokenizer.json"

DIRECTED = "directed"
"""The label whose probability decides in the pipeline."""

NOT_DIRECTED = "not_directed"
"""The label of speech to others."""

DEFAULT_POINT = "balanced"
"""The operating point that `threshold` belongs to."""

TEXT_INPUTS = (NAMES, MARKED) = ("names", "marked")
"""How a text tower is told the device's names: before the text, or by a mark in their place."""

_MOST_SHOWN = 100

_MOST_SECONDS = 86_400.0
_MOST_TOKENS = 65_536
_MOST_LOGIT = 1e6
"""Far more than any model needs, and little enough that nothing overflows."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it costs, measured on speakers and sources held out of training."""

    threshold: float
    """Accept when the directed probability is at least this, in [0, 1]."""

    false_accept: float | None
    """Fraction of speech not meant for the device that is accepted; None where not measured."""

    false_reject: float | None
    """Fraction of speech meant for the device that is rejected; None where not measured."""


@dataclass(frozen=True)
class ModelPackage:
    """A package whose every file was found and has the hash that `turbo.json` says."""

    folder: Path
    name: str
    version: str

    language: str
    """Code of the language whose text the model knows, such as `en`."""

    labels: tuple[str, ...]
    """Class of each logit, `[K]`."""

    max_seconds: float
    """Of longer audio only the last so many seconds count."""

    max_tokens: int
    """Longest input of the text tower, names and special tokens included."""

    default_threshold: float | None
    """Threshold of `balanced`; None where no label is `directed`."""

    operating_points: Mapping[str, OperatingPoint]
    calibration: AffineCalibration

    training: Mapping[str, Any]
    """Summary of the training data with its licences."""

    metrics: Mapping[str, Any]

    follow_up: FollowUpPrior
    """What an accepted utterance says of the next, if that is asked for; the optional key
    `follow_up` of `turbo.json`."""

    sound_reject: float
    """Speech whose directed probability by the sound alone is below this is rejected before any
    text is made of it, in [0, 1); 0 never does. The optional key `sound_reject` of `turbo.json`."""

    finished_threshold: float | None
    """From this probability on, the graph's output `end_of_turn` means that the speaker has
    finished; None for a package without that output. `end_of_turn.threshold` of `turbo.json`."""

    cut_to_speech: bool
    """Whether the network hears the speech alone, without the silence around it. The optional key
    `cut_to_speech`."""

    audio_input: RecognizerInput | None
    """Whose encoder states the network reads; None where it hears the sound itself. The optional
    key `audio_input`."""

    text_input: str
    """`names`: the text tower reads the names before the text. `marked`: it reads the text with a
    mark in place of a name, then the turn before (`token_row`). The optional key `text_input`."""

    files: Mapping[str, str]
    """SHA-256, in hex, of every file but `turbo.json`."""

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read and check the package in `folder`, or the shipped one.

        Raises:
            PackageError: `turbo.json` is missing, malformed or of another format; a file is
                missing, is not listed, or has another hash. The message names the file.
        """
        folder = SHIPPED if folder is None else Path(folder)
        manifest = Manifest.read(folder)
        version = manifest.integer("format", at_least=1, at_most=10**6)
        if version != FORMAT:
            raise PackageError(
                f"{shown(manifest.path)}: format {version} is not known, this version of "
                f"turbo_stream reads format {FORMAT}; update turbo_stream or the package"
            )
        labels = manifest.texts("labels", at_least=2)
        if manifest.integer("sample_rate", at_least=1, at_most=10**6) != SAMPLE_RATE:
            raise manifest.refuse("sample_rate", manifest.values["sample_rate"], f"{SAMPLE_RATE}")
        points = _operating_points(manifest)
        package = cls(
            folder=folder,
            name=manifest.text("name"),
            version=manifest.text("version"),
            language=manifest.text("language"),
            labels=labels,
            max_seconds=manifest.number("max_seconds", low=0, high=_MOST_SECONDS, above_low=True),
            max_tokens=manifest.integer("max_tokens", at_least=8, at_most=_MOST_TOKENS),
            default_threshold=_default_threshold(manifest, labels, points),
            operating_points=points,
            calibration=_calibration(manifest, len(labels)),
            training=manifest.plain("training"),
            metrics=manifest.plain("metrics"),
            follow_up=_follow_up(manifest),
            sound_reject=_sound_reject(manifest),
            cut_to_speech="cut_to_speech" in manifest.values and manifest.flag("cut_to_speech"),
            audio_input=RecognizerInput.read(manifest),
            finished_threshold=_finished_threshold(manifest),
            text_input=_text_input(manifest),
            files=_files(manifest),
        )
        package.verify()
        return package

    @property
    def marked(self) -> bool:
        """Whether the text tower reads marks and the turn before."""
        return self.text_input == MARKED

    @property
    def max_samples(self) -> int:
        """Samples in `max_seconds` at 16 kHz, at least one."""
        return max(1, to_samples(self.max_seconds))

    @property
    def directed_index(self) -> int:
        """Place of `directed` among the labels; PackageError if the model has no such class."""
        if DIRECTED not in self.labels:
            raise PackageError(
                f"{self.folder / MANIFEST_NAME}: the labels {', '.join(self.labels)} do not "
                f"include {DIRECTED!r}; such a model can be evaluated but cannot listen"
            )
        return self.labels.index(DIRECTED)

    @property
    def sound_input(self) -> SoundInput:
        """What the network takes of an utterance."""
        if self.audio_input is None:
            return WaveformInput(self.max_samples, self.cut_to_speech)
        bound = self.audio_input
        return StatesInput(bound.width, self.max_samples, bound.source.recognizer)

    def check_recognizer(self, recognizer: Recognizer) -> None:
        """Raise `InputError` if the network was trained on the states of another recognizer."""
        if self.audio_input is not None:
            self.audio_input.check(self.name, recognizer)

    def threshold(self, operating_point: str | None = None) -> float:
        """Return the threshold of `operating_point`, or the default one.

        Raises:
            InputError: the package has no operating point of that name.
            PackageError: the model has no class `directed`, to which a threshold could apply.
        """
        name = DEFAULT_POINT if operating_point is None else operating_point
        _ = self.directed_index
        if name not in self.operating_points:
            known = ", ".join(sorted(self.operating_points)) or "none"
            raise InputError(f"no operating point {name!r} in {self.name}: it has {known}")
        return self.operating_points[name].threshold

    def path(self, name: str) -> Path:
        """Return where the listed file `name` is; PackageError if it is not listed."""
        if name not in self.files:
            raise PackageError(
                f"{shown(self.folder / MANIFEST_NAME)}: 'files' does not list {shown(name)}"
            )
        return self.folder / name

    def verify(self) -> None:
        """Compare every file with its hash; PackageError names the first that is wrong."""
        for name, expected in self.files.items():
            path = self.folder / name
            try:
                found = file_hash(path)
            except OSError as error:
                reason = error.strerror or str(error)
                raise PackageError(
                    f"{shown(path)} cannot be read ({reason}): the model package is incomplete, "
                    "fetch it again"
                ) from error
            if found != expected:
                raise PackageError(
                    f"{shown(path)} is damaged or was changed: its SHA-256 is {found[:12]}..., "
                    f"{MANIFEST_NAME} says {expected[:12]}...; fetch the model package again"
                )
        for name in (GRAPH_NAME, TOKENIZER_NAME):
            self.path(name)
        self._check_external_files()
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            hidden = any(part.startswith((".", "__pycache__")) for part in name.split("/"))
            if not hidden and name not in (MANIFEST_NAME, *self.files) and not path.is_dir():
                raise PackageError(
                    f"{shown(path)} is not listed in {MANIFEST_NAME}: a model package holds only "
                    "files with a known hash; remove it"
                )

    def _check_external_files(self) -> None:
        """Refuse a graph that would read a file whose hash nobody has compared."""
        path = self.path(GRAPH_NAME)
        try:
            names = external_files(path)
        except (OSError, ValueError) as error:
            raise PackageError(f"{shown(path)} is no ONNX graph ({error})") from error
        for name in sorted(names):
            if name not in self.files or any(part.startswith(".") for part in name.split("/")):
                raise PackageError(
                    f"{shown(path)} would read '{shown(name[:_MOST_SHOWN])}', which "
                    f"{MANIFEST_NAME} does not list with its hash: weights stand in the graph, or "
                    "in listed files of the folder that are not hidden"
                )


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file in hex; OSError if it cannot be read."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _operating_points(manifest: Manifest) -> dict[str, OperatingPoint]:
    table = manifest.table("operating_points")
    for name, point in table.values.items():
        if not is_text(name):
            raise table.refuse(name, point, "removed: the name of a point is a line of text")
    rows = {name: table.table(name) for name in table.values}
    return {
        name: OperatingPoint(
            threshold=row.fraction("threshold"),
            false_accept=row.fraction_or_none("false_accept"),
            false_reject=row.fraction_or_none("false_reject"),
        )
        for name, row in rows.items()
    }


def _default_threshold(
    manifest: Manifest, labels: tuple[str, ...], points: Mapping[str, OperatingPoint]
) -> float | None:
    if DIRECTED not in labels:
        return manifest.fraction_or_none("threshold")
    threshold = manifest.fraction("threshold")
    if DEFAULT_POINT not in points or points[DEFAULT_POINT].threshold != threshold:
        wanted = f"the threshold of the operating point {DEFAULT_POINT!r}"
        raise manifest.refuse("threshold", threshold, wanted)
    return threshold


def _follow_up(manifest: Manifest) -> FollowUpPrior:
    if "follow_up" not in manifest.values:
        return FollowUpPrior()
    row = manifest.table("follow_up")
    return FollowUpPrior(
        row.number("log_odds", low=0, high=_MOST_LOGIT, above_low=True),
        row.number("decay_s", low=0, high=_MOST_SECONDS, above_low=True),
    )


def _sound_reject(manifest: Manifest) -> float:
    if "sound_reject" not in manifest.values:
        return 0.0
    value = manifest.fraction("sound_reject")
    if value == 1:
        raise manifest.refuse("sound_reject", value, "below 1: all speech would be rejected")
    return value


def _finished_threshold(manifest: Manifest) -> float | None:
    if "end_of_turn" not in manifest.values:
        return None
    return manifest.table("end_of_turn").fraction("threshold")


def _text_input(manifest: Manifest) -> str:
    if "text_input" not in manifest.values:
        return NAMES
    return manifest.choice("text_input", TEXT_INPUTS)


def _calibration(manifest: Manifest, classes: int) -> AffineCalibration:
    row = manifest.table("calibration")
    if row.text("method") != "affine":
        raise row.refuse("method", row.values["method"], "'affine'")
    return AffineCalibration(
        row.number("scale", low=0, high=_MOST_LOGIT, above_low=True),
        row.numbers("bias", count=classes, within=_MOST_LOGIT),
    )


def _files(manifest: Manifest) -> dict[str, str]:
    table = manifest.table("files")
    for name, digest in table.values.items():
        # By name, not by where links lead: the Hub's cache keeps every file as a link.
        parts = PurePosixPath(name).parts
        if not is_text(name):
            raise table.refuse(name, digest, "removed: the name of a file is a line of text")
        if not parts or name.startswith("/") or ".." in parts or set(name) & set("\\:\0"):
            raise table.refuse(name, digest, "removed: a file of a package lies in its folder")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise table.refuse(name, digest, "a SHA-256 of 64 lower-case hex digits")
    if MANIFEST_NAME in table.values:
        raise table.refuse(MANIFEST_NAME, table.values[MANIFEST_NAME], "removed: it cannot be")
    return dict(table.values)
