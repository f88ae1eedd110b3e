"""Which network: what has to be the same so that two vectors can be compared."""

import hashlib
import json

from turbo_stream.detection.package import ModelPackage

CARD_NAME = "README.md"
"""Of the file of a package that is for people."""


def fingerprint(package: ModelPackage) -> str:
    """Return a SHA-256, in hex, of all that an utterance's vectors and log-odds depend on.

    The card and the thresholds of a package may change without it.
    """
    parts = {
        "files": {name: hash for name, hash in package.files.items() if name != CARD_NAME},
        "labels": package.labels,
        "max_seconds": package.max_seconds,
        "max_tokens": package.max_tokens,
        "cut_to_speech": package.cut_to_speech,
        "text_input": package.text_input,
        "calibration": [package.calibration.scale, *package.calibration.bias],
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
