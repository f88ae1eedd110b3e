"""`turbo-serve`: the pipeline for browsers, programs and the house, over the network."""

import asyncio
import os
import signal
import sys
import threading
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import click

import turbo_stream
from turbo_stream.actions.actions import ActionsConfig
from turbo_stream.cli.command import interrupt_on, run_command
from turbo_stream.cli.config_file import config_option
from turbo_stream.cli.options import options
from turbo_stream.cli.wording import tell
from turbo_stream.errors import InputError
from turbo_stream.serving.access import Access
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.network import NetworkConfig
from turbo_stream.settings import Settings

if TYPE_CHECKING:
    from turbo_stream.pipeline import Models

_loading = threading.Event()
"""Models are being loaded, on a thread that no exit waits for."""


@click.command("turbo-serve", context_settings={"help_option_names": ["-h", "--help"]})
@options(Access, "access")
@config_option
@options(Settings, "settings")
@options(NetworkConfig, "network")
@options(ActionsConfig, "actions")
@options(Limits, "limits")
@click.version_option(turbo_stream.__version__, prog_name="turbo-serve")
def serve(
    *,
    access: Access,
    settings: Settings,
    network: NetworkConfig,
    actions: ActionsConfig,
    limits: Limits,
) -> None:
    """Serve a web page, a WebSocket and REST over one set of models.

    Sound comes in as 16-bit 16 kHz mono, events go out as turbo-listen --jsonl prints them.
    With --wyoming stdio:// only the process that started this one is served.
    """
    try:
        from turbo_stream.serving import run
        from turbo_stream.serving.actions import ActionsService
        from turbo_stream.serving.app import make_app
        from turbo_stream.serving.hub import Hub
        from turbo_stream.serving.web_server import WebServer, bound_socket
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed; pip install 'turbo-listen[serve]'"
        ) from error
    house = network.rooms()
    if house is not None and settings.revise:
        raise InputError(
            "`house` and `revise` exclude each other: rooms agree on utterances, not on second "
            "thoughts; leave one of them out"
        )
    hub, load = Hub(limits, house), partial(_load, settings)
    with ExitStack() as stack:
        server = listening = None
        # Addresses are taken before the models are loaded, so that a wrong one is told at once.
        if not network.alone:
            app = make_app(hub, access.gate)
            server = WebServer(app, limits, access.tls, hub.metrics.turned_away)
            listening = stack.enter_context(bound_socket(access.host, access.port))
            _say(f"listening on {access.url(listening)}")
        services = network.services(_say, house)
        if actions.wanted:
            services.append(ActionsService(actions, _say))
        asyncio.run(run.serve(hub, server, listening, load, services, say=_say))


def _load(settings: Settings) -> "Models":
    from turbo_stream.pipeline import Models

    _loading.set()
    try:
        return Models.load(settings, say=_say)
    finally:
        _loading.clear()


def main() -> None:
    """Entry point."""
    # Until there is something to drain, SIGTERM ends everything as Ctrl-C does.
    interrupt_on(signal.SIGTERM)
    status = run_command(serve)
    if _loading.is_set():
        # A library that goes on loading a model while the interpreter ends aborts the process.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _say(text: str) -> None:
    tell(serve, text)


if __name__ == "__main__":
    main()
