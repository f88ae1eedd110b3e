"""What is logged of an error that nobody expected: its kind and place, and no words."""

import traceback


def described(error: BaseException) -> str:
    """Return the type of `error` and the innermost line it went through.

    Its message is left out, since it may quote what was spoken.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
