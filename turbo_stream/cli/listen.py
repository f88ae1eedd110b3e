"""`turbo-listen`: from sound to accepted and rejected utterances."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, nullcontext
from types import FrameType
from typing import TYPE_CHECKING

import click

import turbo_stream
from turbo_stream.actions.actions import Actions, ActionsConfig
from turbo_stream.cli.command import interrupt_on, run_command
from turbo_stream.cli.config_file import config_option
from turbo_stream.cli.options import index_or_name, options
from turbo_stream.cli.output import say
from turbo_stream.cli.wording import OPEN, tell
from turbo_stream.recording.config import RecordingConfig
from turbo_stream.settings import Settings

if TYPE_CHECKING:
    from turbo_stream.audio.source import Source
    from turbo_stream.cli.correction_keys import CorrectionKeys
    from turbo_stream.cli.view.view import View
    from turbo_stream.pipeline import Pipeline


@click.command("turbo-listen", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", required=False)
@click.option("--jsonl", is_flag=True, help="Print one JSON object per event.")
@config_option
@options(Settings, "settings")
@click.option("--device", metavar="ID", help="Microphone, by index or name.")
@click.option("--channel", type=int, metavar="N", help="Use channel N (from 0) alone.")
@click.option("--track", type=int, metavar="N", help="Hear audio track N (from 0) of a file.")
@click.option("--list-devices", is_flag=True, help="List the microphones and exit.")
@click.option("--realtime", is_flag=True, help="Play a file at its own pace, as a microphone.")
@options(ActionsConfig, "actions")
@options(RecordingConfig, "recording")
@click.version_option(turbo_stream.__version__, prog_name="turbo-listen")
def listen(
    source: str | None,
    *,
    jsonl: bool,
    settings: Settings,
    device: str | None,
    channel: int | None,
    track: int | None,
    list_devices: bool,
    realtime: bool,
    actions: ActionsConfig,
    recording: RecordingConfig,
) -> None:
    """Hear speech, and say of each utterance whether it was meant for the device.

    SOURCE is a sound file, - for raw 16-bit 16 kHz mono PCM on standard input, or nothing for
    the microphone.
    """
    if list_devices:
        _print_devices()
        return
    from turbo_stream.audio.file import FileSource
    from turbo_stream.audio.open import open_source

    # The source is opened before the models, so that a wrong file name is told at once.
    opened = open_source(
        source,
        channel=channel,
        track=track,
        device=index_or_name(device),
        realtime=realtime,
    )
    notices = opened.notices if isinstance(opened, FileSource) else []
    told = len(notices)
    for notice in notices:
        _say(notice)
    from turbo_stream.pipeline import Models

    patient = not opened.live
    with ExitStack() as until_the_end:
        recorder = None
        if recording.folder is not None:
            from turbo_stream.recording.recorder import Recorder

            recorder = Recorder(recording, say=_say, names=settings.names, patient=patient)
            until_the_end.enter_context(recorder)
            _say(str(recording))
        # A live screen redraws its last lines: what commands print goes above them.
        live = sys.stdout.isatty() and sys.stderr.isatty() and not jsonl
        act = until_the_end.enter_context(
            Actions(actions, say=_say, patient=patient, output=_above if live else None)
        )
        models = Models.load(settings, say=_say)
        pipeline = models.stream()
        if source is None and not pipeline.ready.names:
            _say(OPEN)
        if recorder is not None:
            recorder.language = models.package.language
            pipeline.on_decision = recorder.note
        keys = _keys(pipeline) if source != "-" else None
        _show(pipeline, opened, _view(jsonl, with_keys=keys is not None), act, keys)
    for notice in notices[told:]:
        _say(notice)


def main() -> None:
    """Entry point."""
    # Until there is sound to flush, SIGTERM ends everything as Ctrl-C does: at once, status 0.
    interrupt_on(signal.SIGTERM)
    sys.exit(run_command(listen))


def _show(
    pipeline: Pipeline,
    source: Source,
    view: View,
    actions: Actions,
    keys: CorrectionKeys | None,
) -> None:
    from turbo_stream.cli.terminal_keys import TerminalKeys
    from turbo_stream.events import SourceChanged
    from turbo_stream.live.listener import events_of

    watched, seen = view.watch(source), sys.stdout.isatty()
    # A signal ends the sound: what was heard is decided, and then handed on.
    _on_signals(watched.close)
    try:
        with nullcontext() if keys is None else TerminalKeys(keys.press):
            for event in events_of(pipeline, watched):
                actions.note(event)
                if keys is not None:
                    keys.note(event)  # first: a key may be pressed as soon as it is seen
                view.show(event)
                if isinstance(event, SourceChanged) and event.state == "muted" and not seen:
                    _say(f"the source is muted: {event.detail}")
    finally:
        view.close()
        watched.close()
        # From here on a signal means not to wait for what is being handed on.
        _on_signals(actions.hurry)


def _keys(pipeline: Pipeline) -> CorrectionKeys | None:
    """Return what the keys of the terminal do, if there is one and anything is learned."""
    from turbo_stream.cli.correction_keys import HELP, CorrectionKeys
    from turbo_stream.cli.terminal_keys import keys_are_there

    if pipeline.decider.learner is None or not keys_are_there():
        return None
    if not sys.stdout.isatty():
        _say(HELP)
    return CorrectionKeys(pipeline.decider.learner, _say)


def _on_signals(act: Callable[[], None]) -> None:
    """Let SIGINT and SIGTERM call `act`; the status stays 0."""

    def handle(signum: int, frame: FrameType | None) -> None:
        act()

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, handle)


def _view(jsonl: bool, *, with_keys: bool) -> View:
    if jsonl:
        from turbo_stream.cli.view.lines import JsonLines

        return JsonLines(sys.stdout)
    if not sys.stdout.isatty():
        from turbo_stream.cli.view.lines import PlainLines

        return PlainLines(sys.stdout)
    from rich.console import Console

    from turbo_stream.cli.view.screen import Screen

    return Screen(Console(), with_keys=with_keys)


def _print_devices() -> None:
    from turbo_stream.audio.devices import INSTEAD, list_devices

    devices = list_devices()
    for device in devices:
        say(str(device))
    if not devices:
        _say(f"no microphone was found; {INSTEAD}")


def _say(text: str) -> None:
    tell(listen, text)


def _above(line: str) -> None:
    say(line, sys.stderr)


if __name__ == "__main__":
    main()
