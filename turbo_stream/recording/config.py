"""What its owner allows this machine to keep."""

from dataclasses import dataclass
from pathlib import Path

from turbo_stream._util.option import changed_options, check_bounds, option
from turbo_stream.errors import InputError

_DEFAULT_MB = 1000.0


@dataclass(frozen=True)
class RecordingConfig:
    """What is recorded, and for how long: nothing without a folder.

    Raises `InputError` for a limit that is none, and for limits without a folder.
    """

    folder: Path | None = option(
        None,
        "Keep the sound of accepted speech in DIR, to be labelled.",
        flag="record",
        metavar="DIR",
    )
    rejected: bool = option(False, "Keep rejected speech, too.", flag="record-rejected")
    """That is of people who did not speak to the device."""

    days: float | None = option(
        None,
        "Delete recordings after N days.",
        flag="record-days",
        metavar="N",
        low=0,
        above_low=True,
    )
    megabytes: float | None = option(
        None,
        "Keep N megabytes at most; the oldest go.",
        flag="record-mb",
        metavar="N",
        low=0,
        above_low=True,
        shown_default=f"{_DEFAULT_MB:g}",
    )

    def __post_init__(self) -> None:
        check_bounds(self)
        if self.folder is None and (given := changed_options(self)):
            raise InputError(
                f"`{given[0]}` was given, but nothing is recorded without `folder`; give it, too"
            )

    @property
    def max_bytes(self) -> int:
        """Sound that is kept at most; beyond it the oldest goes."""
        return int(1e6 * (_DEFAULT_MB if self.megabytes is None else self.megabytes))

    def __str__(self) -> str:
        """Return what is recorded, for one line."""
        if self.folder is None:
            return "recording nothing"
        kind = "accepted and rejected" if self.rejected else "accepted"
        age = "" if self.days is None else f" for {self.days:g} days at most"
        return f"recording {kind} speech in {self.folder}, {self.max_bytes / 1e6:g} MB at most{age}"
