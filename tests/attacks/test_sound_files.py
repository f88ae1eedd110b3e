"""Damaged sound files: sound or one clean error, in little time and memory, and nothing is left."""

import re
import sys
import time
from pathlib import Path

import httpx
import pytest
import soundfile

from tests.attacks.mutations import files, mutated
from tests.support.paths import KITCHEN
from tests.support.served import served, shared_models
from turbo_stream.audio.file import FileSource
from turbo_stream.audio.source import Block
from turbo_stream.errors import InputError
from turbo_stream.serving.limits import Limits

LONGEST_S = 20
"""For one file of some 100 KB; most take milliseconds."""

MOST_MIB = 80
"""What a process grows by over one file, at its peak."""

LONGEST_SOUND = 3_600 * 16_000
"""Samples that are listened to: a damaged rate makes hours of seconds."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")


@pytest.fixture(scope="module")
def known() -> dict[str, bytes]:
    pcm, _ = soundfile.read(KITCHEN, frames=32_000, dtype="int16")
    found = files(pcm)
    assert len(found) > 35, sorted(found)
    for name, content in found.items():
        assert sum(1 for _ in FileSource(name, content=content)) > 0, name
    return found


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def memory(what: str) -> int:
    """MiB: `VmRSS` now, or `VmHWM` at most since it was last set back."""
    return int(re.search(rf"{what}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) // 1024


def set_peak_back() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@linux
def test_a_damaged_file_is_read_or_refused(attack, known, capfd) -> None:
    open_at_first = None
    for chance in attack.inputs(at_least=300):
        what, content = mutated(known, chance)
        set_peak_back()
        before, begun_s, heard = memory("VmRSS"), time.monotonic(), 0
        try:
            for item in FileSource("x", content=content):
                heard += len(item.pcm) if isinstance(item, Block) else 0
                if heard > LONGEST_SOUND:
                    break
        except InputError as error:
            assert str(error).isprintable() and len(str(error)) < 500, (what, error)
        item = None
        assert time.monotonic() - begun_s < LONGEST_S, what
        assert memory("VmHWM") - before < MOST_MIB, what
        open_at_first = open_at_first or descriptors()
        assert descriptors() <= open_at_first, what
        said = capfd.readouterr()
        assert not said.err and not said.out, (what, said)


@linux
def test_a_damaged_upload_is_answered(attack, known) -> None:
    limits = Limits(file_s=60)
    with (
        served(shared_models(), limits) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        client.get("/healthz")
        open_at_first = None
        for chance in attack.inputs(at_least=12):
            what, content = mutated(known, chance)
            begun_s = time.monotonic()
            answer = client.post("/v1/classify", content=content)
            assert answer.status_code in (200, 400, 413, 415), (what, answer.text)
            assert ("events" in answer.json()) == (answer.status_code == 200), what
            assert time.monotonic() - begun_s < LONGEST_S, what
            assert client.get("/healthz").status_code == 200
            open_at_first = open_at_first or descriptors()
            assert descriptors() <= open_at_first, what
