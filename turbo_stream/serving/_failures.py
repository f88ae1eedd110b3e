"""What is logged of an error that nobody expected: its kind and place, and no words."""

import asyncio
import logging
import traceback
from typing import Any

_LOG = logging.getLogger(__name__)

_AGAIN_S = 600.0
"""The same failure is not told again for so long: whoever causes it can do so often."""


def described(error: BaseException) -> str:
    """Return the type of `error` and the innermost line it went through.

    Its message is left out, since it may quote what was spoken.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def let_go(error: BaseException | None) -> None:
    """Clear what the frames hold that `error`, and what led to it, went through.

    A task that failed holds its error, the error its frames, and a frame the task: such a circle is
    found late, and a sound file of a client would lie in memory meanwhile.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def log_of_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Have `loop` log what nobody else handles in one line, each kind once in a while.

    By itself it logs a traceback each time, with the arguments of what failed.
    """
    said_s: dict[str, float] = {}

    def failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        text = context["message"] if error is None else described(error)
        now_s = loop.time()
        if now_s - said_s.get(text, -_AGAIN_S) >= _AGAIN_S:
            said_s[text] = now_s
            _LOG.error("something failed between clients: %s", text)

    loop.set_exception_handler(failed)
