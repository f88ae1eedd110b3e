"""The microphone against a real PortAudio, ALSA and PulseAudio, unplugging included."""

import os
import signal
import subprocess
import sys
import threading
import time
from ctypes.util import find_library

import numpy as np
import pytest

from tests.support.sounds import chirp, correlation
from tools.measurements.cost.virtual_microphone import VirtualMicrophone
from turbo_stream.audio.capture import BLOCK_MS, GATHERED_MS
from turbo_stream.audio.microphone import Microphone, MicrophoneConfig
from turbo_stream.audio.source import Block, Connection, Gap, SourceItem
from turbo_stream.errors import DeviceError

pytestmark = [pytest.mark.slow, pytest.mark.audio_server]

SOUND = np.rint(chirp(1.0, 16_000) * 32767).astype(np.int16)
QUICK = MicrophoneConfig(retry_s=0.2, longest_retry_s=0.3, fall_back_after_s=1.0)


@pytest.fixture
def server(sound_server: VirtualMicrophone, monkeypatch) -> VirtualMicrophone:
    """The sound server, and this process led to it."""
    from turbo_stream.audio.devices import rescan

    for name, value in sound_server.env.items():
        monkeypatch.setenv(name, value)
    rescan()
    return sound_server


class Listener:
    """Collects what a microphone yields, on a thread, with the time of arrival."""

    def __init__(self, microphone: Microphone) -> None:
        self.microphone = microphone
        self.items: list[SourceItem] = []
        self.arrived_s: list[float] = []
        self.mutes: list[Connection] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        for item in self.microphone:
            # Where nothing is played there are zeros only, for as long as this machine takes.
            if isinstance(item, Connection) and (item.state == "muted" or item.detail == "sound"):
                self.mutes.append(item)
                continue
            self.items.append(item)
            self.arrived_s.append(time.monotonic())

    def wait_for(self, kind: type[SourceItem], count: int = 1, timeout_s: float = 10) -> None:
        deadline = time.monotonic() + timeout_s
        while sum(isinstance(item, kind) for item in self.items) < count:
            assert time.monotonic() < deadline, f"no {kind.__name__} in {timeout_s} s: {self.tail}"
            time.sleep(0.02)

    @property
    def tail(self) -> list[SourceItem]:
        return [item for item in self.items if not isinstance(item, Block)]

    @property
    def pcm(self) -> np.ndarray:
        return np.concatenate([item.pcm for item in self.items if isinstance(item, Block)])

    @property
    def stream_samples(self) -> int:
        lost = sum(item.lost_samples for item in self.items if isinstance(item, Gap))
        return len(self.pcm) + lost

    def close(self) -> None:
        self.microphone.close()
        self._thread.join(5)
        assert not self._thread.is_alive()


def best_match(pcm: np.ndarray, sound: np.ndarray) -> float:
    """The highest correlation of `sound` with any equally long part of `pcm`."""
    a, b = pcm.astype(float), sound.astype(float)
    size = len(a) + len(b)
    product = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    at = int(np.argmax(product[: len(a) - len(b) + 1]))
    return correlation(a[at : at + len(b)], b)


def assert_heard(pcm: np.ndarray, sound: np.ndarray) -> None:
    # In pieces: a busy machine lets the server stumble; another sound matches no piece.
    matches = [best_match(pcm, piece) for piece in np.split(sound, 10)]
    assert np.median(matches) > 0.9, matches


def hear(listener: Listener, server: VirtualMicrophone, sound=SOUND, name="vmic") -> None:
    listener.wait_for(Block)
    server.play(sound, name).wait(10)
    time.sleep(0.3)


def test_what_is_played_is_heard_and_idling_costs_little(server):
    listener = Listener(Microphone("vmic"))
    hear(listener, server)
    listener.close()
    assert listener.tail == []
    assert_heard(listener.pcm, SOUND)
    sizes = [len(item.pcm) for item in listener.items]
    # Each block is handed on as it comes; a busy machine may let a few of them gather.
    block = 16 * BLOCK_MS
    assert np.median(sizes) == block and max(sizes) <= 15 * block
    span_s = listener.arrived_s[-1] - listener.arrived_s[0]
    assert listener.stream_samples / 16_000 == pytest.approx(span_s, abs=0.2)


def test_sound_is_gathered_while_the_reader_has_no_use_for_less(server):
    listener = Listener(Microphone("vmic"))
    listener.microphone.gathering = True
    hear(listener, server)
    listener.close()
    assert_heard(listener.pcm, SOUND)
    sizes = [len(item.pcm) for item in listener.items]
    assert np.median(sizes) >= 16 * GATHERED_MS
    span_s = listener.arrived_s[-1] - listener.arrived_s[0]
    assert listener.stream_samples / 16_000 == pytest.approx(span_s, abs=0.5)


def test_a_muted_microphone_is_told_and_so_is_its_first_sound(server):
    listener = Listener(Microphone("vmic", config=MicrophoneConfig(muted_after_s=0.5)))
    deadline = time.monotonic() + 10
    while not listener.mutes:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    hear(listener, server)
    listener.close()
    assert [change.state for change in listener.mutes[:2]] == ["muted", "active"]
    assert "zeros for 0.5 s" in listener.mutes[0].detail
    assert_heard(listener.pcm, SOUND)
    assert listener.tail == []


def test_one_microphone_of_a_pair(server):
    server.plug("pair", channels=2)
    try:
        low, high = chirp(1.0, 16_000, 300, 600), chirp(1.0, 16_000, 2000, 2600)
        sound = np.rint(np.stack([low, high], axis=1) * 32767).astype(np.int16)
        listeners = [Listener(Microphone("pair", channel=channel)) for channel in (0, 1)]
        time.sleep(1)
        for listener in listeners:
            listener.wait_for(Block)
        server.play(sound, "pair").wait(10)
        time.sleep(0.3)
        for listener in listeners:
            listener.close()
    finally:
        server.unplug("pair")
    for channel, listener in enumerate(listeners):
        for other in (0, 1):
            match = max(best_match(listener.pcm, piece) for piece in np.split(sound[:, other], 4))
            assert match > 0.9 if channel == other else match < 0.3


def test_a_reader_that_sleeps_is_told_how_much_it_missed(server):
    microphone = Microphone("vmic", config=MicrophoneConfig(buffer_s=0.3))
    started_s, items = None, []
    for count, item in enumerate(microphone):
        items.append(item)
        started_s = started_s or time.monotonic()
        if count == 3:
            time.sleep(1.2)
        if count > 3 and time.monotonic() - started_s > 2.0:
            microphone.close()
    gaps = [item for item in items if isinstance(item, Gap)]
    heard = sum(len(item.pcm) for item in items if isinstance(item, Block))
    lost = sum(gap.lost_samples for gap in gaps)
    assert len(gaps) == 1 and gaps[0].cause == "input overflow"
    assert 0.6 < lost / 16_000 < 1.0
    assert (heard + lost) / 16_000 == pytest.approx(time.monotonic() - started_s, abs=0.2)


def test_unplugged_and_plugged_in_again(server):
    listener = Listener(Microphone("vmic", config=QUICK))
    hear(listener, server)
    unplugged_s = time.monotonic()
    server.unplug()
    try:
        listener.wait_for(Connection, timeout_s=3)
        time.sleep(0.7)
    finally:
        server.plug()
    listener.wait_for(Gap)
    away_s = time.monotonic() - unplugged_s
    before = len(listener.pcm)
    hear(listener, server)
    listener.close()
    reconnecting, active, gap = listener.tail
    assert (reconnecting.state, active.state) == ("reconnecting", "active")
    assert "vmic" in reconnecting.detail and active.detail == "vmic"
    assert gap.cause == "device lost" and 0.7 < gap.lost_samples / 16_000 < away_s + 0.1
    assert_heard(listener.pcm[before:], SOUND)
    span_s = listener.arrived_s[-1] - listener.arrived_s[0]
    assert listener.stream_samples / 16_000 == pytest.approx(span_s, abs=0.25)


def test_the_default_device_steps_in_for_one_that_stays_away(server):
    server.plug("spare")
    listener = Listener(Microphone("vmic", config=QUICK))
    listener.wait_for(Block)
    server.unplug()
    try:
        listener.wait_for(Gap)
        before = len(listener.pcm)
        hear(listener, server, name="spare")
        listener.close()
    finally:
        server.plug()
        server.unplug("spare")
    assert [item.state for item in listener.tail[:2]] == ["reconnecting", "active"]
    assert listener.tail[1].detail == "default in place of vmic"
    assert listener.tail[2].lost_samples >= 16_000 * QUICK.fall_back_after_s
    assert_heard(listener.pcm[before:], SOUND)


def test_a_search_by_another_microphone_of_the_process_is_survived(server):
    from turbo_stream.audio.devices import rescan

    listener = Listener(Microphone("vmic", config=QUICK))
    for search in (1, 2):
        listener.wait_for(Block)
        rescan()
        listener.wait_for(Gap, search)
    before = len(listener.pcm)
    hear(listener, server)
    listener.close()
    assert len(listener.pcm) > before + 8000
    assert [type(item) for item in listener.tail] == [Connection, Connection, Gap] * 2


def test_with_no_device_left_it_says_so_and_still_ends_on_close(server):
    listener = Listener(Microphone("vmic", config=QUICK))
    listener.wait_for(Block)
    server.unplug()
    try:
        listener.wait_for(Connection, 2)
        started_s = time.monotonic()
        listener.close()
        assert time.monotonic() - started_s < 1
    finally:
        server.plug()
    assert [item.state for item in listener.tail] == ["reconnecting", "unavailable"]


def test_a_device_that_falls_silent_counts_as_lost(server):
    config = MicrophoneConfig(stall_s=0.5, retry_s=0.2)
    listener = Listener(Microphone("vmic", config=config))
    listener.wait_for(Block)
    server.freeze()
    try:
        listener.wait_for(Connection, timeout_s=4)
    finally:
        server.thaw()
    listener.wait_for(Gap)
    listener.close()
    assert [type(item) for item in listener.tail] == [Connection, Connection, Gap]


def test_a_signal_ends_a_recording_cleanly(server):
    script = (
        "import signal, time\n"
        "from turbo_stream.audio.open import open_source\n"
        "source = open_source()\n"
        "signal.signal(signal.SIGINT, lambda *_: source.close())\n"
        "heard = 0\n"
        "for item in source:\n"
        "    if not heard: print('hearing', flush=True)\n"
        "    heard += len(item.pcm)\n"
        "print(heard)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], env=os.environ, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "hearing\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert 0.3 * 16_000 < int(out) < 3 * 16_000


@pytest.mark.parametrize("device", ["no such thing", 99])
def test_a_missing_device_names_those_there_are(server, device):
    with pytest.raises(DeviceError, match="no microphone.*vmic, ALSA.*a sound file or -") as caught:
        Microphone(device)
    assert "\n" not in str(caught.value)


def test_an_ambiguous_name_is_refused_and_an_exact_one_is_not(server):
    with pytest.raises(DeviceError, match="several microphones fit"):
        Microphone("alsa")
    Microphone("vmic").close()
    Microphone("VMIC alsa").close()


def test_a_channel_the_device_lacks_is_refused(server):
    with pytest.raises(DeviceError, match=r"no channel 200.*choose 0 to"):
        Microphone("vmic", channel=200)


def test_a_device_that_cannot_be_opened_is_one_line(server, capfd):
    with pytest.raises(DeviceError, match="spare cannot be opened") as caught:
        next(iter(Microphone("spare")))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_the_list_has_inputs_only_and_one_default(server):
    from turbo_stream.audio.devices import list_devices

    devices = list_devices()
    assert {"vmic", "spare", "pair", "default"} <= {device.name for device in devices}
    assert [device.name for device in devices if device.is_default] == ["default"]
    assert all(device.channels > 0 and device.rate > 0 for device in devices)
    assert all(str(device.index) in str(device) for device in devices)


def run_without(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    script = (
        "import sys\n"
        "from turbo_stream.audio.open import open_source\n"
        "from turbo_stream.errors import DeviceError\n"
        f"{code}\n"
        "try: open_source()\n"
        "except DeviceError as error: print(error, file=sys.stderr); sys.exit(error.exit_code)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.skipif(not find_library("portaudio"), reason="needs: apt install libportaudio2")
def test_without_any_device_files_are_offered():
    hide = "import sounddevice; sounddevice.query_devices = lambda *_, **__: []"
    result = run_without(hide)
    assert result.returncode == 2
    assert "no microphone found" in result.stderr and result.stderr.count("\n") == 1


def test_without_portaudio_the_package_is_named():
    # What `sounddevice` does when it finds no library, on Linux and elsewhere.
    hide = "import ctypes.util; ctypes.util.find_library = lambda name: None"
    result = run_without(hide)
    assert result.returncode == 2
    assert "libportaudio2" in result.stderr and result.stderr.count("\n") == 1
