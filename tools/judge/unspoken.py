"""A name that a device might have and nobody says: what tells the classes apart in no way."""

import hashlib

from tools.judge.recording import Recording
from training.data.names import NAMES
from turbo_stream.recognition.recognizer import Transcript


def unspoken_name(recording: Recording, heard: Transcript) -> tuple[str, ...]:
    """Return the name of a made-up device for `recording`, of which `heard` was understood.

    It is drawn by the recording's place alone, among the names that neither its true words nor
    what was heard hold, also not within a word or as two words ("grass hopper"). None where every
    name is said.
    """
    texts = (recording.text or "", recording.transcript.text, heard.text)
    said = " ".join(map(_letters, texts))
    place = f"{recording.name}/{recording.offset_s}"
    drawn = sorted(NAMES, key=lambda name: _number(f"{place}/{name}"))
    return next(((name,) for name in drawn if _letters(name) not in said), ())


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def _number(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
