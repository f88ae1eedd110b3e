"""Every choice about the models and how they decide: the one place where a choice is added.

The options of all commands, the keys of their TOML files, the arguments of `Pipeline.load` and
`docs/reference/settings.md` are made from these fields.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from turbo_stream._util.option import check_bounds, option, option_fields
from turbo_stream.addressing.address import ADDRESSES, choose_address
from turbo_stream.errors import InputError
from turbo_stream.recognition.backends import NAMED
from turbo_stream.recognition.recognizer import Recognizer
from turbo_stream.recognition.whisper_device import DEVICES
from turbo_stream.recognition.window import LONGEST_S, WindowConfig
from turbo_stream.segmentation.vad import DEFAULT_VAD, VAD_NAMES

NO_TURN_MODEL = "none"
"""As `turn_model`: nobody says that a speaker has finished, silence alone does."""


@dataclass(frozen=True)
class Settings:
    """What listens, and how it decides.

    Raises `InputError`, which names the field, for a value that is not allowed.
    """

    model: str | Path | None = option(
        None, "Turbo package.", metavar="DIR", shown_default="the one that ships"
    )
    asr: str | Recognizer = option(
        "auto",
        "Recognizer: a Whisper name such as tiny.en, a Whisper folder, or another backend.",
        metavar="|".join((*NAMED, "NAME_OR_DIR")),
    )
    asr_device: str = option(
        "cpu", "Where Whisper computes; the CPU where no GPU works.", metavar="|".join(DEVICES)
    )
    vad: str = option(
        DEFAULT_VAD, "Voice activity detector.", metavar="|".join(VAD_NAMES), only_streams=True
    )
    names: tuple[str, ...] = option(
        (), "What the device is called; repeatable.", flag="name", per_stream=True
    )
    address: str | None = option(
        None,
        "Whether the device is called by its name: always, unless sure, or not at all.",
        metavar="|".join(ADDRESSES),
        shown_default="named with a name, else open",
        per_stream=True,
    )
    words: tuple[str, ...] = option(
        (),
        "A word that recognizers hardly know, such as a name in the house; repeatable.",
        flag="word",
    )
    taught: tuple[Path, ...] = option(
        (),
        "How the name is said, as `turbo-tune name` has learned it; repeatable.",
        metavar="FILE",
    )
    conversation_s: float = option(
        8.0,
        "After accepted speech no name is needed for so long, in seconds; 0: always.",
        flag="conversation",
        metavar="S",
        low=0,
        high=300,
        per_stream=True,
        only_streams=True,
    )
    turn_before_s: float = option(
        15.0,
        "What was said counts for what is said so many seconds after it; 0: never.",
        flag="turn-before",
        metavar="S",
        low=0,
        high=300,
        per_stream=True,
        only_streams=True,
    )
    threshold: float | None = option(
        None,
        "Accept from this score on.",
        metavar="P",
        low=0,
        high=1,
        shown_default="the package's",
        per_stream=True,
        instead_of="operating_point",
    )
    operating_point: str | None = option(
        None,
        "Accept from a threshold of the package.",
        metavar="NAME",
        instead_of="threshold",
    )
    language: str | None = option(
        None, "Language, for multilingual Whisper models.", metavar="CODE"
    )
    translate: bool = option(
        True, "Judge other languages by their English translation, which Whisper makes, too."
    )
    window_floor_s: float = option(
        WindowConfig.floor_s,
        "Shortest window that Whisper reads, in seconds.",
        flag="window-floor",
        metavar="S",
        low=0,
        high=LONGEST_S,
    )
    window_margin_s: float = option(
        WindowConfig.margin_s,
        "Silence that Whisper's window holds beyond the speech, in seconds.",
        flag="window-margin",
        metavar="S",
        low=0,
        high=LONGEST_S,
    )
    sound_reject: float | None = option(
        None,
        "Reject below this score of the sound alone, before a text is made.",
        metavar="P",
        low=0,
        high=1,
        below_high=True,
        shown_default="the package's",
        only_streams=True,
    )
    turn_model: str | Path | None = option(
        None,
        "smart-turn ONNX file that says when a speaker has finished, or none: silence does.",
        metavar="FILE",
        shown_default="the Turbo package",
        only_streams=True,
    )
    follow_up: bool = option(False, "Favour what soon follows accepted speech.", only_streams=True)
    learn: Path | None = option(
        None,
        "Learn from corrections, kept as vectors in FILE, which is made where there is none.",
        metavar="FILE",
    )
    revise: bool = option(
        False,
        "Decide speech that soon goes on again, as one; its sound is kept for 1.2 s.",
        only_streams=True,
    )
    voices: Path | None = option(
        None,
        "Tell whose accepted speech was, of the voices in FILE, as `turbo-tune voice` keeps them.",
        metavar="FILE",
        only_streams=True,
    )
    household_only: bool = option(
        False, "Accept only the voices in that file. It is no lock.", only_streams=True
    )
    show_rejected: bool = option(
        False, "Show the words of rejected speech, too.", per_stream=True, only_shown=True
    )
    partials: bool = option(
        True, "Show text while speech goes on.", per_stream=True, only_shown=True
    )

    def __post_init__(self) -> None:
        for one in option_fields(type(self)):
            if getattr(self, one.name) is None:
                object.__setattr__(self, one.name, one.default)
        names = (self.names,) if isinstance(self.names, str) else tuple(self.names)
        if not all(name.strip() for name in names):
            raise InputError("one of `names` is empty; give what the device is called")
        object.__setattr__(self, "names", names)
        words = (self.words,) if isinstance(self.words, str) else tuple(self.words)
        if not all(word.strip() for word in words):
            raise InputError("one of `words` is empty; give a name as it is written")
        object.__setattr__(self, "words", tuple(word.strip() for word in words))
        taught = (self.taught,) if isinstance(self.taught, str | Path) else self.taught
        object.__setattr__(self, "taught", tuple(map(Path, taught)))
        if self.learn is not None:
            object.__setattr__(self, "learn", Path(self.learn))
        if self.voices is not None:
            object.__setattr__(self, "voices", Path(self.voices))
        elif self.household_only:
            raise InputError(
                "`household_only` was given without `voices`: nobody would be accepted; give the "
                "file of who is known"
            )
        if self.household_only and self.revise:
            raise InputError(
                "`household_only` and `revise` exclude each other: who is known would vouch for "
                "whoever spoke before; leave one of them out"
            )
        check_bounds(self)
        choose_address(self.address, names, hears=True)
        if self.asr_device not in DEVICES:
            raise InputError(
                f"`asr_device` is {self.asr_device!r}; choose one of {', '.join(DEVICES)}"
            )
        if self.vad not in VAD_NAMES:
            raise InputError(f"`vad` is {self.vad!r}; choose one of {', '.join(VAD_NAMES)}")
        if self.threshold is not None and self.operating_point is not None:
            raise InputError("`threshold` and `operating_point` were both given; give one of them")

    @property
    def shows_partials(self) -> bool:
        """Whether text is shown while speech goes on.

        Not where an unknown voice is rejected: whose it is is known at the end.
        """
        return self.partials and (self.show_rejected or not self.household_only)

    @property
    def window(self) -> WindowConfig:
        """How much of its 30 s Whisper reads."""
        return WindowConfig(self.window_floor_s, self.window_margin_s)

    def for_stream(self, **changes: Any) -> Self:
        """Return these settings with what is other for one stream; None changes nothing.

        A threshold given takes the place of an operating point.

        Raises:
            InputError: a choice belongs to the models, or its value is not allowed.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        allowed = [one.name for one in option_fields(type(self)) if one.option.per_stream]
        if wrong := sorted(given.keys() - set(allowed)):
            raise InputError(
                f"`{wrong[0]}` cannot be chosen for one stream; what can is {', '.join(allowed)}"
            )
        if "threshold" in given:
            given["operating_point"] = None
        return replace(self, **given)

    def resolved(self) -> Self:
        """Return these settings with absolute folders, for processes that work elsewhere."""
        folders = {
            "model": self.model,
            "asr": self.asr if isinstance(self.asr, str) and Path(self.asr).is_dir() else None,
            "learn": self.learn,
            "voices": self.voices,
            "turn_model": None if self.turn_model == NO_TURN_MODEL else self.turn_model,
        }
        known: dict[str, Any] = {
            name: str(Path(value).resolve()) for name, value in folders.items() if value
        }
        return replace(self, taught=tuple(path.resolve() for path in self.taught), **known)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON-ready dict."""
        values = {one.name: getattr(self, one.name) for one in option_fields(type(self))}
        return {
            name: list(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
            for name, value in values.items()
        }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.name if hasattr(value, "transcribe") else str(value)
