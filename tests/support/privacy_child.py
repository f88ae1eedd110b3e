"""Runs turbo-listen in a process that watches itself: every file it opens to write, every socket.

Usage: `privacy_child.py AUDIT_FD RECOGNIZER LEAK [turbo-listen's arguments]`; RECOGNIZER is
`canary` (hears the canary in everything), `raising` (fails, quoting it), or `own` (leave it).
What was seen goes to AUDIT_FD as JSON. LEAK is a deliberate mistake, to show that it is noticed.
"""

import json
import logging
import os
import sys
from pathlib import Path

from tests.support.paths import ROOT

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND
TELLING = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.system", "sqlite3.")
DECODER = ROOT / "turbo_stream" / "recognition" / "_pocketsphinx_worker.py"
"""The one program that may be started: it decodes, and talks through anonymous pipes."""
CANARY = "xylophone marmalade quartz"

seen = []
watching = True


def watch(event, arguments):
    if not watching:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = any(c in (mode or "") for c in "wax+") or (flags or 0) & WRITING
        if writes and not isinstance(path, int) and path != os.devnull:
            seen.append(f"open {path}")
    elif event == "subprocess.Popen" and is_the_decoder(arguments[1]):
        return
    elif event.startswith(TELLING):
        seen.append(f"{event} {arguments!r}")


def is_the_decoder(command):
    return list(command[:-1]) == [sys.executable, "-I", "-S", "-B", str(DECODER)]


def hear_canaries(raising):
    from turbo_stream.deciding import recognizer_of_models
    from turbo_stream.recognition.recognizer import Confidence, Transcript

    class Canary:
        name = "canary"

        def transcribe(self, pcm):
            if raising and pcm.any():
                raise RuntimeError(f"cannot spell {CANARY!r}")
            return Transcript(CANARY, Confidence(-0.1))

        def warm_up(self):
            return None

    recognizer_of_models.load_recognizer = lambda *args, **kwargs: Canary()


def leak_on_detection(leak):
    """Make the detector do what it must not, in the way `leak` names."""
    from turbo_stream.detection.turbo import TurboDetector

    honest = TurboDetector.score

    def score(self, pcm, transcript):
        if transcript.text != CANARY:  # the warm-up
            return honest(self, pcm, transcript)
        if leak == "text file":
            (Path(os.environ["TMPDIR"]) / "notes.txt").write_text(transcript.text)
        elif leak == "audio file":
            (Path.home() / "last.raw").write_bytes(pcm.tobytes())
        elif leak == "file elsewhere":
            (Path(os.environ["ELSEWHERE"]) / "notes.bin").write_bytes(b"x")
        elif leak == "log":
            logging.getLogger("turbo_stream").debug("heard %s", transcript.text)
        elif leak == "stderr":
            print(transcript.text, file=sys.stderr)
        elif leak == "socket":
            import socket

            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(transcript.text.encode(), ("127.0.0.1", 9))
        elif leak == "exception":
            raise RuntimeError(transcript.text)
        return honest(self, pcm, transcript)

    TurboDetector.score = score


if __name__ == "__main__":
    audit_fd, recognizer, leak, *arguments = sys.argv[1:]
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    sys.addaudithook(watch)
    if recognizer != "own":
        hear_canaries(raising=recognizer == "raising")
    if leak != "none":
        leak_on_detection(leak)
    from turbo_stream.cli.listen import main

    sys.argv = ["turbo-listen", *arguments]
    try:
        main()
    finally:
        watching = False
        with os.fdopen(int(audit_fd), "w") as report:
            json.dump(seen, report)
