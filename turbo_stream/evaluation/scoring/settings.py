"""What a run is: everything that its scores depend on, apart from the manifest."""

from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from turbo_stream._util.option import option_fields
from turbo_stream.errors import InputError
from turbo_stream.settings import Settings

Mode = Literal["utterance", "stream"]

_NAMED = ("model", "asr", "vad", "names", "language", "window_floor_s", "window_margin_s")
"""What stands in a run by itself: packages by their hash, recognizers by their name."""


@dataclass(frozen=True)
class ScoringSettings(Settings):
    """Settings, and how a corpus is scored with them; sent to every worker.

    Two runs with equal settings give equal scores. `names` are of rows without a `device_name`.
    """

    mode: Mode = "utterance"
    """`utterance`: a row is one clip. `stream`: a row is a long recording with spans."""

    gold_text: bool = False
    """Take the manifest's `text` instead of recognizing."""

    condition: str = "clean"
    """The condition that the sound is put under, see `conditions`."""

    seed: int = 0
    """Of the condition."""

    keep_vectors: bool = False
    """Keep in the journal what the network leaves of each row to learn from."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gold_text and self.mode == "stream":
            raise InputError(
                "`gold_text` is for clips: in stream mode the segmenter decides what an utterance "
                "is, and no text of the manifest belongs to it; leave it out"
            )
        if self.keep_vectors and self.mode == "stream":
            raise InputError(
                "`learn_counts` are for clips: in stream mode no example of the manifest belongs "
                "to an utterance; leave them out"
            )

    @property
    def loaded(self) -> Self:
        """What to load: no recognizer for gold text.

        The corpus is the user's own, and so is the report: what was rejected may stand in it.
        """
        asr = "none" if self.gold_text else self.asr
        return replace(self, asr=asr, show_rejected=True)

    def described(self) -> dict[str, Any]:
        """Return the choices that scores depend on as JSON, but for those that have a name."""
        told = {
            one.name
            for one in option_fields(type(self))
            if one.name not in _NAMED
            and not one.option.only_shown
            and (self.mode == "stream" or not one.option.only_streams)
        }
        return {name: value for name, value in self.to_json().items() if name in told}
