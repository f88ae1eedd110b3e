"""Everything that accepted speech is handed on to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Protocol

from turbo_stream._util.closing import Closing
from turbo_stream._util.option import changed_options, option
from turbo_stream.errors import InputError
from turbo_stream.events import Event, Utterance


@dataclass(frozen=True)
class ActionsConfig:
    """What a user asked for; nothing by default.

    Raises `InputError` for a choice about the webhook without its URL.
    """

    on_accept: str | None = option(
        None, "Run for accepted speech, without a shell: 'say {text}'.", metavar="COMMAND"
    )
    webhook: str | None = option(None, "Post accepted speech to URL, as JSON.", metavar="URL")
    webhook_secret_file: Path | None = option(
        None, "Sign what is posted with the secret in FILE.", metavar="FILE"
    )
    """Without one, the secret is looked for in the environment."""

    webhook_plain_http: bool = option(False, "Allow http:// to other machines.")

    flush_s: float = 5.0
    """At the end of live sound, how long what waits may still take."""

    patient_flush_s: float = 60.0
    """The same at the end of sound that can wait, such as a file."""

    def __post_init__(self) -> None:
        for name in changed_options(self):
            if name.startswith("webhook_") and self.webhook is None:
                raise InputError(f"`{name}` was given without `webhook`; give the URL, too")

    @property
    def wanted(self) -> bool:
        """Whether there is anything to hand on to."""
        return self.on_accept is not None or self.webhook is not None


class Receiver(Protocol):
    """One that accepted utterances are handed on to."""

    def hand_on(self, utterance: Utterance) -> None:
        """Take `utterance`; returns at once."""
        ...

    def close(self, within_s: float) -> None:
        """Deliver what waits, for `within_s` at most."""
        ...

    def hurry(self) -> None:
        """Let `close` wait no longer; from any thread or signal handler."""
        ...


class Actions(Closing):
    """Hands accepted utterances on; nothing else that is heard passes through here.

    `note` may be called from any thread, so one can serve many streams. Closing it may take
    `flush_s`. Failures go to `say`, one line each, and never stop listening.
    """

    def __init__(
        self,
        config: ActionsConfig,
        *,
        say: Callable[[str], None],
        patient: bool = False,
        output: Callable[[str], None] | None = None,
    ) -> None:
        """Check what was asked for and start its threads.

        Args:
            config: what was asked for.
            say: told in one line what failed or was dropped; holds no text.
            patient: the sound can wait (a file), so nothing needs to be dropped.
            output: told each line that commands print, on threads of theirs; None leaves it to
                standard error.

        Raises:
            InputError: the command, the URL or the secret is not usable.
        """
        self._flush_s = config.patient_flush_s if patient else config.flush_s
        self._receivers: list[Receiver] = []
        template = None
        if config.on_accept is not None:
            from turbo_stream.actions._command import CommandTemplate

            template = CommandTemplate.parse(config.on_accept)
        if config.webhook is not None:
            from turbo_stream.actions._webhook import Webhook
            from turbo_stream.actions._webhook_address import Address
            from turbo_stream.actions._webhook_signature import find_secret

            address = Address.parse(config.webhook, plain_http=config.webhook_plain_http)
            secret = find_secret(config.webhook_secret_file)
            self._receivers.append(Webhook(address, secret=secret, say=say, patient=patient))
        if template is not None:
            from turbo_stream.actions._command import AcceptCommand

            self._receivers.append(AcceptCommand(template, say=say, patient=patient, output=output))

    def note(self, event: Event) -> None:
        """Hand `event` on if it is an accepted utterance."""
        if isinstance(event, Utterance) and event.answered_here:
            for receiver in self._receivers:
                receiver.hand_on(event)

    def hurry(self) -> None:
        """Let `close` wait no longer; from any thread or signal handler."""
        for receiver in self._receivers:
            receiver.hurry()

    def close(self) -> None:
        """Deliver what waits, within the bound of the configuration."""
        until_s = monotonic() + self._flush_s
        for receiver in self._receivers:
            # All of them go on working while one is waited for.
            receiver.close(max(0.0, until_s - monotonic()))
