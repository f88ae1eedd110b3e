"""The options that hand accepted speech on, for every command that listens."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from turbo_stream.actions.actions import HandingOnConfig

_Command = TypeVar("_Command", bound=Callable[..., Any])


def handing_on_options(command: _Command) -> _Command:
    """Give `command` the options `--on-accept` and `--webhook...`, as its keyword `handing_on`."""

    @functools.wraps(command)
    def with_handing_on(
        *args: Any,
        on_accept: str | None,
        webhook: str | None,
        webhook_secret_file: Path | None,
        webhook_plain_http: bool,
        **kwargs: Any,
    ) -> Any:
        config = HandingOnConfig(on_accept, webhook, webhook_secret_file, webhook_plain_http)
        return command(*args, handing_on=config, **kwargs)

    options = (
        click.option(
            "--on-accept",
            metavar="COMMAND",
            help="Run for accepted speech, without a shell: 'say {text}'.",
        ),
        click.option("--webhook", metavar="URL", help="Post accepted speech to URL, as JSON."),
        click.option(
            "--webhook-secret-file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Sign what is posted with the secret in FILE.",
        ),
        click.option("--webhook-plain-http", is_flag=True, help="Allow http:// to other machines."),
    )
    wrapped: Any = with_handing_on
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
