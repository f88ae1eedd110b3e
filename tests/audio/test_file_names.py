"""Any file opens whatever its name, and a name is never an address or a list of files."""

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.sound_files import encode
from tests.support.sounds import chirp, pcm_of
from turbo_stream import open_source
from turbo_stream._util.shown import shown
from turbo_stream.audio.file import FileSource
from turbo_stream.errors import InputError

NAMES = [
    b"10:30",
    b"http:x",
    b"concat:a|b",
    b"pipe:0",
    b"-dash",
    b"-",
    b"caf\xe9",
    b"\xff\xfe",
    b"two\nlines",
    b"%03d",
    b"[a]*?",
    b"list.m3u8",
    b"a.sdp",
    b"\x1b[2J",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", [b".wav", b".m4a", b""])
def test_a_file_opens_whatever_its_name(tmp_path, name, suffix, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = Path(os.fsdecode(name + suffix))
    if suffix == b".m4a":
        encode(Path("plain.m4a"), [chirp(1.0, 48_000)], "aac", 48_000)
        Path("plain.m4a").rename(path)
    else:
        with path.open("wb") as file:
            soundfile.write(file, chirp(1.0, 16_000), 16_000, format="WAV")
    assert len(pcm_of(open_source(path))) == pytest.approx(16_000, abs=800)


@pytest.mark.parametrize("name", [b"caf\xe9.wav", b"two\nlines.wav", b"\x1b[2J.wav"])
@pytest.mark.parametrize("content", [None, b"", b"no sound at all"])
def test_a_message_shows_a_strange_name_in_one_line(tmp_path, name, content):
    path = tmp_path / os.fsdecode(name)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        FileSource(path)
    message = str(caught.value)
    assert message.isprintable() and message.encode("utf-8")
    assert shown(path) in message


def test_a_shown_name_says_which_bytes_it_has():
    assert shown("küche 1.wav") == "küche 1.wav"
    assert shown(os.fsdecode(b"caf\xe9.wav")) == r"caf\xe9.wav"
    assert shown("a\nb\x1b\u2028\ud800") == r"a\nb\x1b\u2028\ud800"


@pytest.mark.parametrize("suffix", ["m3u8", "wav", "mpd", "txt"])
def test_a_list_of_other_files_is_no_sound_file(tmp_path, suffix):
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    encode(tmp_path / "a.ts", [chirp(1.0, 48_000)], "aac", 48_000)
    lists = [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{tmp_path}/a.ts\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {tmp_path}/a.wav\n",
        f"v=0\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\na={tmp_path}\n",
    ]
    for content in lists:
        (tmp_path / f"list.{suffix}").write_text(content)
        with pytest.raises(InputError, match="not a sound file"):
            FileSource(tmp_path / f"list.{suffix}")
