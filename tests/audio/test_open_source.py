import numpy as np
import pytest
import soundfile

from turbo_stream import Source, errors, open_source
from turbo_stream.audio.file import FileSource


def test_a_path_is_a_file(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros((160, 2)), 16_000)
    for name in (tmp_path / "a.wav", str(tmp_path / "a.wav")):
        source = open_source(name, channel=1, realtime=True)
        assert isinstance(source, FileSource) and isinstance(source, Source)
        assert source.live and source.channel == 1


def test_stdin_is_live_where_a_recorder_feeds_it(tmp_path, monkeypatch):
    with (tmp_path / "samples").open("w+") as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        assert [open_source("-", realtime=live).live for live in (False, True)] == [False, True]


def test_stdin_has_one_channel():
    with pytest.raises(errors.InputError, match="stdin is mono"):
        open_source("-", channel=1)
