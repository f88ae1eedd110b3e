"""The options that choose the models and how they decide, for the commands that listen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from turbo_stream.cli.config_file import read_config
from turbo_stream.cli.window import window_options
from turbo_stream.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])

_LOADED = (
    "model",
    "asr",
    "vad",
    "names",
    "threshold",
    "operating_point",
    "language",
    "window",
    "follow_up",
    "turn_model",
    "sound_reject",
)

_OPTIONS = (
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        callback=read_config,
        is_eager=True,
        expose_value=False,
        help="TOML file with any of these options; the command line wins.",
    ),
    click.option("--model", metavar="DIR", help="Turbo package.  [default: the one that ships]"),
    click.option(
        "--asr",
        default="auto",
        show_default=True,
        metavar="auto|none|pocketsphinx|NAME_OR_DIR",
        help="Recognizer: a Whisper name such as tiny.en, a Whisper folder, or another backend.",
    ),
    click.option("--vad", metavar="webrtc|silero|webrtc+silero", help="Voice activity detector."),
    click.option("--name", "names", multiple=True, help="What the device is called; repeatable."),
    click.option("--threshold", type=float, metavar="P", help="Accept from this probability on."),
    click.option(
        "--operating-point", metavar="NAME", help="Accept from a threshold of the package."
    ),
    click.option("--language", metavar="CODE", help="Language, for multilingual Whisper models."),
    window_options,
    click.option("--follow-up", is_flag=True, help="Favour what soon follows accepted speech."),
    click.option(
        "--turn-model", metavar="FILE", help="smart-turn ONNX file, or none: silence ends."
    ),
    click.option(
        "--sound-reject", type=float, metavar="P", help="Reject below P by sound, wordless."
    ),
)


def model_options(command: _Command) -> _Command:
    """Give `command` these options and `--config`, as its keyword `models`.

    That is a dict of what `Pipeline.load` takes.
    """

    @functools.wraps(command)
    def with_models(*args: Any, **given: Any) -> Any:
        models = {name: given.pop(name) for name in _LOADED}
        window = models.pop("window")
        if models["vad"] is None:
            del models["vad"]
        settings = Settings(
            **models,
            window_floor_s=window.floor_s,
            window_margin_s=window.margin_s,
            show_rejected=given.pop("show_rejected"),
            partials=given.pop("partials"),
        )
        return command(*args, settings=settings, **given)

    decorated: Any = with_models
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
