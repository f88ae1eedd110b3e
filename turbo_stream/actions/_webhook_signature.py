"""Signed deliveries, as the Standard Webhooks specification 1.0 has them."""

import base64
import binascii
import hashlib
import hmac
import os
from pathlib import Path

from turbo_stream._util.plain_text import read_secret, without_traces
from turbo_stream.errors import InputError

SECRET_VARIABLE = "TURBO_WEBHOOK_SECRET"
"""Environment variable that may hold the secret."""

_ENCODED = "whsec_"
"""Front of a secret whose rest is the key in Base64."""

_SHORTEST = 16


def find_secret(file: Path | None) -> bytes | None:
    """Return the key in `file`, or in the environment; None where neither gives one.

    Raises:
        InputError: the file cannot be read, or the secret is too short or not what it claims.
    """
    if file is not None:
        where = f"`webhook_secret_file` {file}"
        given = read_secret(file, "`webhook_secret_file`").strip()
    else:
        where = SECRET_VARIABLE
        given = without_traces(os.environ.get(SECRET_VARIABLE, "")).strip()
        if not given:
            return None
    key = _key(given, where)
    if len(key) < _SHORTEST:
        raise InputError(
            f"{where}: the secret has {len(key)} bytes; give {_SHORTEST} at least, "
            "as from: openssl rand -hex 32"
        )
    return key


def _key(given: str, where: str) -> bytes:
    if not given.startswith(_ENCODED):
        return given.encode()
    try:
        return base64.b64decode(given.removeprefix(_ENCODED), validate=True)
    except binascii.Error as error:
        raise InputError(f"{where}: after {_ENCODED} comes Base64; that is none") from error


def signature(key: bytes, *, delivery: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of `webhook-signature`: `v1,` and the HMAC-SHA256 in Base64."""
    signed = f"{delivery}.{timestamp_s}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
