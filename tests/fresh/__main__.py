"""`make fresh`: the commands of the pages, with a wheel, in a new environment, without source.

`python -m tests.fresh [PAGE]...`; without pages, `PAGES`. Needs the package index, and flite. It
takes what pip takes, and the minutes that the commands themselves take. What a page shows and is
not run here is listed with the reason.
"""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import soundfile

from tests.fresh.environment import LIMIT_S, Environment, Failed
from tests.fresh.step import Step, steps
from tests.support.pages import blocks
from tests.support.paths import KITCHEN, ROOT
from tests.support.server_process import ServerProcess
from tools.measurements.cost.virtual_microphone import (
    MISSING,
    VirtualMicrophone,
    virtual_microphone,
)

CORE = ("install", "listen", "addressing", "actions", "doctor", "learning", "embedding")
EXTRAS = ("evaluation", "recording", "tuning", "serve", "sources")
PAGES = [
    *(f"docs/guide/{name}.md" for name in CORE),
    "README.md",
    *(f"docs/guide/{name}.md" for name in EXTRAS),
]
"""In this order: what needs the core alone, then pages that have extras installed."""


class Trial:
    """Goes through pages, step by step."""

    def __init__(self, environment: Environment, microphone: VirtualMicrophone | None) -> None:
        self._environment = environment
        self._microphone = microphone
        self._servers = ExitStack()
        self._usual: Step | None = None
        self._serving: Step | None = None
        self.failed = 0

    def page(self, name: str) -> None:
        """Try what a page shows; say of each step what came of it.

        Its blocks of Python are one program, as one reads them, and come last. The first server
        is the one that a page speaks of; another serves the block that starts it.
        """
        found = [step for block in blocks(ROOT / name, "sh", "python") for step in steps(block)]
        self._usual = next((step for step in found if step.kind == "serve"), None)
        self._serving = None
        programs = [step for step in found if step.kind == "python"]
        with ExitStack() as self._servers:
            for step in found:
                if step.kind != "python":
                    self._try(step)
            if programs:
                code = "\n".join(step.text for step in programs)
                self._try(replace(programs[0], text=code))
            if any(step.kind == "serve" for step in found):
                self._try(Step(name, "the server ends", "end"))

    def _try(self, step: Step) -> None:
        started, (text, *_) = time.monotonic(), step.text.splitlines()
        if step.kind == "skip":
            told = f"not run: {step.why}"
        else:
            try:
                self._run(step)
                told = f"ok, {time.monotonic() - started:.0f} s"
            except (Failed, AssertionError) as error:
                self.failed += 1
                told = f"FAILED: {error}"
        print(f"{step.where:32} {text[:60]:60} {told}", flush=True)

    def _run(self, step: Step) -> None:
        usual, now = self._usual, self._serving
        if usual and now and now is not usual and step.where != now.where and step.kind != "end":
            self._serve(usual)
        match step.kind:
            case "end":
                self._servers.close()
            case "install":
                self._environment.install(step.text)
            case "python":
                self._environment.python(step.text)
            case "serve":
                self._serve(step)
            case "microphone":
                self._hear(step.text)
            case "listen":
                with self._spoken():
                    self._environment.shell(step.text)
            case _:
                self._environment.shell(step.text)

    def _serve(self, step: Step) -> None:
        self._servers.close()  # one at a time has the port
        self._serving = step
        self._servers.enter_context(self._running(step.text)).said("ready: ")

    def _hear(self, text: str) -> None:
        with self._running(text) as listening:
            listening.said(r"turbo-listen \d|\"ready\"")
            with self._spoken():
                listening.said(r"ACCEPTED|rejected|\"utterance\"")

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Let somebody speak at the microphone."""
        if self._microphone is None:
            raise Failed(f"no virtual microphone without: apt install {' '.join(MISSING)}")
        pcm, _ = soundfile.read(KITCHEN, dtype="int16")
        playing = self._microphone.play(pcm[: 8 * 16_000])
        try:
            yield
        finally:
            playing.kill()

    @contextmanager
    def _running(self, text: str) -> Iterator[ServerProcess]:
        process = self._environment.start(text)
        try:
            yield process
            process.process.send_signal(signal.SIGINT)
            try:
                # What was heard is decided first, and handed on.
                status = process.process.wait(LIMIT_S)
            except subprocess.TimeoutExpired as error:
                raise Failed(f"goes on for {LIMIT_S:.0f} s after Ctrl-C") from error
            if status:
                raise Failed(f"status {status}: {process.errors[-600:]}")
        finally:
            process.process.kill()
            process.process.wait()


def main(pages: list[str]) -> int:
    """Try pages; return 1 if something failed."""
    with ExitStack() as until_the_end:
        folder = Path(until_the_end.enter_context(tempfile.TemporaryDirectory(prefix="fresh-")))
        environment = Environment(folder)
        microphone = None
        if not MISSING:
            (folder / "microphone").mkdir()
            microphone = until_the_end.enter_context(virtual_microphone(folder / "microphone"))
            environment.env |= microphone.env
        trial = Trial(environment, microphone)
        if pages:
            environment.install("pip install .")
        for page in pages or PAGES:
            trial.page(page)
    print(f"{trial.failed} failed")
    return 1 if trial.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
