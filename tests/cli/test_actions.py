"""`turbo-listen` hands accepted speech on: a real file, a real command, a real HTTP server."""

import json
import shlex
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.support.paths import KITCHEN, ROOT
from turbo_stream.cli.command import run_command
from turbo_stream.cli.listen import listen

COMMAND = [sys.executable, "-m", "turbo_stream.cli.listen"]
WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


@pytest.mark.slow
def test_accepted_speech_reaches_the_command_and_the_webhook(tmp_path: Path) -> None:
    posted: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    out = tmp_path / "out"
    script = shlex.quote('echo "$1 $2" >> "$0"; echo printed')
    try:
        done = subprocess.run(
            [
                *[*COMMAND, str(KITCHEN), "--jsonl", "--asr", str(WHISPER)],
                *["--on-accept", f"sh -c {script} {out} {{id}} {{text}}"],
                *["--webhook", f"http://127.0.0.1:{server.server_address[1]}/hook"],
            ],
            capture_output=True,
            timeout=200,
        )
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    accepted = [event for event in events if event.get("decision") == "accepted"]
    assert len(accepted) > 3
    assert posted == accepted
    assert out.read_text().splitlines() == [f"{event['id']} {event['text']}" for event in accepted]
    assert done.stderr.decode().count("printed") == len(accepted)


@pytest.mark.slow
def test_ctrl_c_does_not_wait_for_what_is_being_handed_on(tmp_path: Path, kitchen_pcm) -> None:
    import soundfile

    soundfile.write(tmp_path / "clip.wav", kitchen_pcm[:67_200], 16_000)
    arguments = [str(tmp_path / "clip.wav"), "--jsonl", "--asr", "none", "--threshold", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, *arguments, "--on-accept", "sleep 600"], stdout=pipe, stderr=pipe, text=True
    ) as process:
        assert any('"finished"' in line for line in process.stdout)
        # The first may come so early that it only ends the sound.
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(1)
                break
        errors = process.stderr.read()
    assert process.returncode == 0, errors
    assert "sleep for utterance 0 was running and was ended" in errors


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--on-accept", "no-such-program {text}"], "no program 'no-such-program'"),
        (["--on-accept", "echo {txt}"], "{txt} is not known"),
        (["--webhook-plain-http"], "--webhook-plain-http was given without --webhook;"),
        (["--webhook", "http://192.168.1.4/hook"], "unencrypted"),
        (
            ["--webhook", "https://host/", "--webhook-secret-file", "no-such-file"],
            "cannot be read",
        ),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_heard(arguments, says, capsys) -> None:
    assert run_command(listen, [str(KITCHEN), "--jsonl", *arguments]) == 2
    heard = capsys.readouterr()
    assert says in heard.err and heard.err.count("\n") == 1
    assert heard.out == ""
