"""What `y`, `n` and `u` do while `turbo-listen` runs: the last decision was right, or was not."""

from __future__ import annotations

from collections.abc import Callable

from turbo_stream.errors import TurboStreamError
from turbo_stream.events import Event, Utterance
from turbo_stream.learning.learner import Learner

HELP = "y: that was for the device · n: it was not · u: undo"
"""For a line on the screen."""

_DIRECTED = {"y": True, "n": False}


class CorrectionKeys:
    """Corrects the last utterance that was shown."""

    def __init__(self, learner: Learner, say: Callable[[str], None]) -> None:
        self._learner = learner
        self._say = say
        self._last: Utterance | None = None

    def note(self, event: Event) -> None:
        """Take note of what was decided."""
        if isinstance(event, Utterance):
            self._last = event

    def press(self, key: str) -> None:
        """Do what `key` stands for; other keys do nothing."""
        try:
            if key == "u":
                self._say(f"the last correction is undone; {self._learner.undo()}")
            elif key in _DIRECTED:
                self._correct(_DIRECTED[key])
        except TurboStreamError as error:
            self._say(str(error))

    def _correct(self, directed: bool) -> None:
        last = self._last
        if last is None:
            self._say("nothing was said yet that could be corrected")
        elif last.correction_id is None:
            self._say("no score decided the last utterance: there is nothing to learn from it")
        else:
            learned = self._learner.correct(last.correction_id, directed, origin="terminal")
            what = "for the device" if directed else "not for the device"
            self._say(f"the last was {what}; {learned}")
