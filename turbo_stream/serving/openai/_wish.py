"""What the form of a transcription asks for."""

from dataclasses import dataclass
from typing import Literal, cast

from turbo_stream._util.language import primary, same_language
from turbo_stream.serving.openai._form import Form

Format = Literal["json", "text", "verbose_json"]
FORMATS = ("json", "text", "verbose_json")


class WishError(ValueError):
    """A wish that cannot be granted: `param` names the field, the message is one line."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class Wish:
    """One transcription."""

    file: bytes
    format: Format = "json"
    stream: bool = False
    """Answer by server-sent events."""


def read_wish(form: Form, language: str) -> Wish:
    """Return what `form` asks a server for that hears `language`. Raises `WishError`.

    What only tunes how a model recognizes, as `prompt` and `temperature`, is passed over.
    """
    if form.file is None:
        raise WishError("file", "there is no `file`; send the sound file as a part of that name")
    format = form.text("response_format") or "json"
    if format not in FORMATS:
        raise WishError("response_format", f"`response_format` may be {', '.join(FORMATS)}")
    check_language(form.text("language"), language)
    grains = [
        grain
        for name in ("timestamp_granularities[]", "timestamp_granularities")
        for grain in form.fields.get(name, ())
    ]
    if set(grains) - {"segment"}:
        raise WishError(
            "timestamp_granularities", "`timestamp_granularities` may be segment: words have none"
        )
    stream = (form.text("stream") or "false").lower()
    if stream not in ("true", "false"):
        raise WishError("stream", "`stream` may be true or false")
    return Wish(form.file, cast(Format, format), stream == "true")


def check_language(given: str | None, heard: str, param: str = "language") -> None:
    """Raise `WishError` where `given`, as `en` or `en-US`, is another language than `heard`."""
    if given is not None and not same_language(given, heard):
        message = f"this server hears `language` {primary(heard)} alone; leave it out, or give that"
        raise WishError(param, message)
