"""Which network: what has to be the same so that two vectors can be compared."""

import hashlib
import json

from turbo_stream.detection.package import ModelPackage
from turbo_stream.learning.general_speech import GENERAL_SPEECH_NAME

CARD_NAME = "README.md"
"""Of the file of a package that is for people."""

_NO_PART = (CARD_NAME, GENERAL_SPEECH_NAME)


def fingerprint(package: ModelPackage) -> str:
    """Return a SHA-256, in hex, of all that an utterance's vectors and log-odds depend on.

    The card, the thresholds and the general speech of a package may change without it.
    """
    parts = {
        "files": {name: hash for name, hash in package.files.items() if name not in _NO_PART},
        "labels": package.labels,
        "max_seconds": package.max_seconds,
        "max_tokens": package.max_tokens,
        "cut_to_speech": package.cut_to_speech,
        "text_input": package.text_input,
        "calibration": [package.calibration.scale, *package.calibration.bias],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
