"""`multipart/form-data`, read in memory: parsers of web frameworks put files on the disk."""

from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesHeaderParser

AROUND = 65_536
"""Bytes of a form besides its file."""

_PARTS = 64
_HEAD = 4096
"""Bytes of the head of one part."""

_WHAT_TO_SEND = "send multipart/form-data with a part `file`, as curl -F file=@FILE does"


class FormError(ValueError):
    """It is no form that can be read; the message says why in one line."""


@dataclass
class Form:
    """What a form holds."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    """Texts by name, in their order."""

    file: bytes | None = None
    """Content of the part `file`."""

    def text(self, name: str) -> str | None:
        """Return the last text of that name; None where there is none, or an empty one."""
        return self.fields.get(name, [""])[-1].strip() or None


def read_form(body: bytes, content_type: str) -> Form:
    """Return what `body` holds. Raises `FormError`."""
    mark = _mark(content_type)
    if not body.startswith(mark):
        raise FormError(f"the body does not begin with its boundary; {_WHAT_TO_SEND}")
    form, at = Form(), len(mark)
    for _ in range(_PARTS):
        if body.startswith(b"--", at):
            return form
        head_end = body.find(b"\r\n\r\n", at, at + _HEAD)
        end = body.find(b"\r\n" + mark, head_end + 2)
        if not body.startswith(b"\r\n", at) or head_end < 0 or end < 0:
            raise FormError(f"the form is broken off or has no parts; {_WHAT_TO_SEND}")
        name = _name(body[at + 2 : head_end + 2])
        # An empty part has one line end for its head and its boundary.
        content = body[head_end + 4 : max(end, head_end + 4)]
        if name == "file":
            form.file = content
        elif len(content) > AROUND:
            raise FormError(
                f"`{name[:40]}` is longer than {AROUND} bytes; the sound belongs into `file`"
            )
        else:
            form.fields.setdefault(name, []).append(_text(name, content))
        at = end + 2 + len(mark)
    raise FormError(f"the form has more than {_PARTS} parts; send fewer")


def _mark(content_type: str) -> bytes:
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/form-data" or not boundary:
        raise FormError(f"the body is no form; {_WHAT_TO_SEND}")
    return b"--" + boundary.encode("latin-1", "replace")


def _name(head: bytes) -> str:
    name = BytesHeaderParser().parsebytes(head).get_param("name", header="content-disposition")
    if not isinstance(name, str) or not name:
        raise FormError(f"a part of the form has no name; {_WHAT_TO_SEND}")
    return name


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise FormError(f"`{name[:40]}` is no UTF-8 text") from None
