"""Where a webhook may be: what was said at home does not cross a network in the clear."""

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from turbo_stream.errors import InputError


@dataclass(frozen=True)
class Address:
    """A URL that events may be sent to."""

    url: str

    shown: str
    """Scheme, host and port, for messages: paths and queries of webhooks are often secrets."""

    @classmethod
    def parse(cls, given: str, *, plain_http: bool = False) -> Self:
        """Check `given`; `plain_http` allows `http://` to other machines.

        Raises:
            InputError: no http(s) URL, unencrypted to another machine, or with a password in it.
        """
        try:
            parts = urlsplit(given)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(f"`webhook`: {error}; give a URL such as https://host/path") from error
        if parts.scheme not in ("http", "https") or not host or not given.isprintable():
            raise InputError("`webhook` takes a URL such as https://host/path")
        if parts.username is not None or parts.password is not None:
            raise InputError(
                "`webhook`: a name and a password in the URL are not sent; "
                "let a secret sign what is sent (`webhook_secret_file`)"
            )
        shown = f"{parts.scheme}://{host if ':' not in host else f'[{host}]'}"
        shown += "" if port is None else f":{port}"
        if parts.scheme == "http" and not plain_http and not _is_loopback(host):
            raise InputError(
                f"`webhook` {shown} would send what was said unencrypted to another machine; "
                "give an https URL, or say `webhook_plain_http`"
            )
        return cls(given, shown)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
