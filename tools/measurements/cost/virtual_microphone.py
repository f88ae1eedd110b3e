"""A microphone without hardware: a private PulseAudio server whose null sink is recorded from."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path

import numpy as np

RATE = 16_000
ALSA = "".join(
    ["</usr/share/alsa/alsa.conf>\n", "pcm.!default { type pulse }\n"]
    + [
        f'pcm.{name} {{ type pulse device "{name}.monitor" }}\n'
        for name in ("vmic", "spare", "pair")
    ]
)

MISSING = [
    package
    for package, found in {
        "pulseaudio": shutil.which("pulseaudio"),
        "pulseaudio-utils": shutil.which("paplay"),
        "libportaudio2": find_library("portaudio"),
        "libasound2-plugins": list(Path("/usr/lib").glob("**/libasound_module_pcm_pulse.so")),
    }.items()
    if not found
]
"""Debian packages to install before a `VirtualMicrophone` can be made."""


class VirtualMicrophone:
    """What is played into it is what `sounddevice` records from the device `vmic`, the default.

    The server listens on a socket in `folder` only; `env` leads this process or another to it.
    Two more devices can be plugged in: `spare`, and the stereo pair `pair`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plugged: dict[str, tuple[str, subprocess.Popen[bytes]]] = {}
        self._played = 0
        socket = folder / "pulse" / "native"
        self.env = {"XDG_RUNTIME_DIR": str(folder), "PULSE_SERVER": f"unix:{socket}"}
        self.env["ALSA_CONFIG_PATH"] = str(folder / "asound.conf")
        (folder / "asound.conf").write_text(ALSA)
        folder.chmod(0o700)
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"]
            + ["--use-pid-file=no", "--log-target=file:" + str(folder / "pulse.log")]
            + [f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1"],
            env=os.environ | self.env | {"HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not socket.exists():
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PulseAudio does not start:\n" + self.log())
            time.sleep(0.02)
        self.plug()

    def plug(self, name: str = "vmic", channels: int = 1) -> None:
        """Make a device appear, silent; the one named `vmic` is the default while it is there."""
        sink = self._pactl(
            *("load-module", "module-null-sink", f"sink_name={name}", "format=s16le"),
            *(f"rate={RATE}", f"channels={channels}"),
        )
        self._pactl("set-default-source", f"{next(iter([*self._plugged, name]))}.monitor")
        # Without a stream the sink sleeps, and the first sounds are lost while it wakes.
        self._plugged[name] = sink, self._play(name, channels, "/dev/zero")

    def unplug(self, name: str = "vmic") -> None:
        """Take a device away, as by pulling its cable."""
        sink, feeder = self._plugged.pop(name)
        feeder.kill()
        feeder.wait(10)
        self._pactl("unload-module", sink)

    def play(self, pcm: np.ndarray, name: str = "vmic") -> subprocess.Popen[bytes]:
        """Begin to play `[N]` or `[N, C]` int16; wait for the process to know that it is over."""
        self._played += 1
        path = self._folder / f"{self._played}.raw"
        path.write_bytes(pcm.astype("<i2").tobytes())
        # All of it waits in the server, so that a busy machine does not make it stutter.
        return self._play(name, 1 if pcm.ndim == 1 else pcm.shape[1], str(path), 2000)

    def _play(
        self, name: str, channels: int, path: str, latency_ms: int = 40
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["paplay", "--raw", "--format=s16le", f"--rate={RATE}", f"--channels={channels}"]
            + [f"--latency-msec={latency_ms}", f"--device={name}", path],
            env=os.environ | self.env,
            stderr=subprocess.DEVNULL,
        )

    def freeze(self) -> None:
        """Stop the server without closing anything: no sound, no error."""
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._server.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """Return what the server had to say."""
        with contextlib.suppress(OSError):
            return (self._folder / "pulse.log").read_text()
        return ""

    def close(self) -> None:
        """End the server."""
        for _, feeder in self._plugged.values():
            feeder.kill()
            feeder.wait(10)
        self._server.terminate()
        self._server.wait(10)

    def _pactl(self, *words: str) -> str:
        done = subprocess.run(
            ["pactl", *words],
            env=os.environ | self.env,
            check=True,
            capture_output=True,
            text=True,
            timeout=10,
        )
        return done.stdout.strip()


@contextlib.contextmanager
def virtual_microphone(folder: Path) -> Iterator[VirtualMicrophone]:
    """Run a `VirtualMicrophone` in `folder`, which must be empty."""
    microphone = VirtualMicrophone(folder)
    try:
        yield microphone
    finally:
        microphone.close()
