"""Errors a caller can act on: each says what was given, what is allowed and what to do."""


class TurboStreamError(Exception):
    """Base of every error this package raises on purpose; the message is one line."""

    exit_code = 1
    """Exit status of a command line that ends with this error."""

    @property
    def plain(self) -> str:
        """The message for a reader who knows no fields: without the marks around their names."""
        return str(self).replace("`", "")


class InputError(TurboStreamError):
    """The caller gave something unusable: a file, an option, a model folder, a device."""

    exit_code = 2


class PackageError(InputError):
    """A model package is incomplete, of an unknown format, or fails its hashes."""


class DeviceError(InputError):
    """A sound device is missing or cannot be opened."""


class ForkError(TurboStreamError):
    """Models or a stream were taken along into a forked process, where they do not work."""
