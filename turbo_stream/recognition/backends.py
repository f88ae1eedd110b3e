"""The recognizers there are: the one list that help, announcements and messages are made from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backend:
    """What turns an utterance into its text."""

    maker: str
    address: str
    """Where its maker tells of it."""

    distribution: str
    """Of PyPI, whose version its texts depend on."""


BACKENDS = {
    "whisper": Backend(
        "OpenAI, CTranslate2 by SYSTRAN",
        "https://github.com/SYSTRAN/faster-whisper",
        "faster-whisper",
    ),
    "moonshine": Backend(
        "Moonshine AI", "https://github.com/moonshine-ai/moonshine", "moonshine-voice"
    ),
    "pocketsphinx": Backend(
        "CMU Sphinx", "https://github.com/cmusphinx/pocketsphinx", "pocketsphinx"
    ),
}
"""By what their names begin with: `whisper:tiny.en`, `pocketsphinx`."""

NAMED = ("auto", "none", *(name for name in BACKENDS if name != "whisper"))
"""What `asr` takes by these words alone; a Whisper is named by its model."""
