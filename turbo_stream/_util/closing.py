"""What is closed at the end of a `with`."""

from abc import abstractmethod
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self


class Closing(AbstractContextManager[Any]):
    """Something with a `close`, which is its own context."""

    def __enter__(self) -> Self:
        """Return it."""
        return self

    @abstractmethod
    def close(self) -> None:
        """End what was begun."""

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
