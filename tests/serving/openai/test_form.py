"""Forms as clients send them, and as none would."""

import httpx
import pytest

from turbo_stream.serving.openai._form import AROUND, FormError, read_form

KIND = "multipart/form-data; boundary=x"
FILE = b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
MODEL = b'Content-Disposition: form-data; name="model"\r\n\r\n'


def test_what_another_library_writes_is_read() -> None:
    sound = bytes(range(256)) * 50 + b"\r\n--\r\n"
    fields = {"model": "whisper-1", "timestamp_granularities[]": ["word", "segment"], "prompt": ""}
    request = httpx.Request("POST", "http://x", data=fields, files={"file": ('ä".wav', sound)})
    form = read_form(request.read(), request.headers["content-type"])
    assert form.file == sound
    assert form.fields["timestamp_granularities[]"] == ["word", "segment"]
    assert form.text("model") == "whisper-1"
    assert form.text("prompt") is None and form.text("language") is None


def test_an_empty_part_is_an_empty_text() -> None:
    form = read_form(b"--x\r\n" + MODEL + b"\r\n--x\r\n" + FILE + b"\r\n--x--\r\n", KIND)
    assert form.fields == {"model": [""]} and form.file == b""


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"RIFF", KIND, "boundary"),
        (b"RIFF", "audio/wav", "no form"),
        (b"--x\r\n", "multipart/form-data", "no form"),
        (b"--x\r\n" + FILE + b"RIFF", KIND, "broken off"),
        (b"--x\r\n" + FILE[:-2], KIND, "broken off"),
        (b"--x\r\nContent-Type: a/b\r\n\r\n\r\n--x--", KIND, "no name"),
        (b"--x\r\n" + b"A: b\r\n" * 2000 + FILE + b"\r\n--x--", KIND, "broken off"),
        (b"--x\r\n" + MODEL + b"\xff\r\n--x--", KIND, "UTF-8"),
        (b"--x\r\n" + MODEL + b"m" * (AROUND + 1) + b"\r\n--x--", KIND, "longer than"),
        ((b"--x\r\n" + MODEL + b"\r\n") * 1000, KIND, "more than 64 parts"),
    ],
)
def test_what_is_no_form_is_told_in_one_line(body: bytes, kind: str, message: str) -> None:
    with pytest.raises(FormError, match=message) as raised:
        read_form(body, kind)
    assert "\n" not in str(raised.value)
