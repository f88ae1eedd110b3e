"""A new environment with a wheel of this checkout, and a folder with what the pages speak of."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from tests.support.paths import KITCHEN, ROOT
from tests.support.server_process import ServerProcess
from tests.support.tuning import say_five_times

LIMIT_S = 600.0
"""Of one step."""


class Failed(Exception):
    """A step did not end as it should; the message says how."""


class Environment:
    """Outside the checkout, and without its source."""

    def __init__(self, folder: Path) -> None:
        """Build the wheel and the environment in `folder`, which is empty."""
        self._python = folder / "venv" / "bin" / "python"
        self.folder = folder / "work"
        self.env = {
            key: value
            for key, value in os.environ.items()
            if key not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
        }
        self.env["PATH"] = f"{folder / 'work' / 'bin'}:{self._python.parent}:{self.env['PATH']}"
        # A user's own configuration is not there; that of pip is.
        self.env |= {"XDG_CONFIG_HOME": str(folder / "config"), "PYTHONUNBUFFERED": "1"}
        self.env["HF_HOME"] = str(folder / "hub")
        wheels = ["wheel", "-q", "--no-deps", "--wheel-dir", str(folder / "wheel"), str(ROOT)]
        self._call([sys.executable, "-m", "pip", *wheels], folder)
        (self._wheel,) = (folder / "wheel").glob("*.whl")
        self._call([sys.executable, "-m", "venv", str(folder / "venv")], folder)
        self._fill()

    def _fill(self) -> None:
        """Write the recordings, and stand-ins for a user's own programs."""
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "examples").mkdir()
        for path in ROOT.glob("examples/*"):
            if path.suffix in (".flac", ".json"):
                (self.folder / "examples" / path.name).write_bytes(path.read_bytes())
        pcm, rate = soundfile.read(KITCHEN, dtype="int16")
        for name in ("kitchen.wav", "kitchen.m4a", "evening.wav", "commands.wav"):
            # Of any name, a file is what is in it.
            soundfile.write(self.folder / name, pcm[: 8 * rate], rate, format="WAV")
        say_five_times("Heifer.", self.folder / "sayings.wav")  # as Aoife is said
        soundfile.write(self.folder / "talk.wav", pcm[4 * rate : 8 * rate], rate)
        pcm[: 8 * rate].tofile(self.folder / "samples.raw")
        manifest = [
            '{"audio_filepath": "kitchen.wav", "offset": 1, "duration": 2.5, "label": "directed"}',
            '{"audio_filepath": "talk.wav", "label": "not_directed"}',
        ]
        (self.folder / "manifest.jsonl").write_text("\n".join(manifest) + "\n")
        rng = np.random.default_rng(0)
        for label in ("directed", "not_directed"):
            for number in range(12):
                path = self.folder / "my-recordings" / label / f"s{number % 4}_{number}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, rng.normal(0, 0.05, 9600), 16_000)
        notify = self.folder / "bin" / "notify-send"
        notify.write_text('#!/bin/sh\necho "notified: $*"\n')
        notify.chmod(0o755)
        (self.folder / "act.py").write_text(
            "import json, sys\nprint(json.load(sys.stdin)['text'])\n"
        )

    def install(self, text: str) -> None:
        """Run a `pip install` of the checkout with its wheel.

        Raises:
            Failed: it cannot be installed.
        """
        found = re.fullmatch(r"pip install(?: -q)? '?\.(\[[a-z,]+\])?'?", text)
        if found is None:
            raise Failed("installs something other than the checkout")
        self.shell(f"python -m pip install -q '{self._wheel}{found[1] or ''}'")

    def shell(self, line: str) -> str:
        """Run a line of shell; return its output. Raises `Failed` unless its status is 0."""
        return self._call(["sh", "-c", line], self.folder)

    def python(self, code: str) -> str:
        """Run a program. Raises `Failed` unless its status is 0."""
        # What the pages take as given.
        given = "import numpy\npcm = played = numpy.zeros(16000, numpy.int16)\n"
        return self._call([str(self._python), "-c", given + code], self.folder)

    def start(self, line: str) -> ServerProcess:
        """Start a line that goes on until it is told to end."""
        process = subprocess.Popen(
            ["sh", "-c", f"exec {line}"],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        process.stderr = process.stdout
        return ServerProcess(process)

    def _call(self, command: list[str], folder: Path) -> str:
        started = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"goes on after {time.monotonic() - started:.0f} s") from error
        if done.returncode:
            raise Failed(f"status {done.returncode}: {(done.stderr or done.stdout)[-600:]}")
        return done.stdout
