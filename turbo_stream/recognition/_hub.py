"""Whisper models on the Hugging Face Hub: in this machine's cache, or downloaded with a bar."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from turbo_stream.errors import InputError

FILES = (
    "config.json",
    "model.bin",
    "preprocessor_config.json",
    "tokenizer.json",
    "vocabulary.json",
    "vocabulary.txt",
)
"""What a CTranslate2 Whisper repository may hold of use."""

REACH_TIMEOUT_S = 2.0
"""How long to wait for the Hub's first answer; name lookup counts too."""

_T = TypeVar("_T")


class OutOfReach(InputError):
    """The Hub does not answer, or is not to be asked."""


def cached(repository: str) -> Path | None:
    """Return the folder of `repository` in the local cache if it is complete, else None."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(repository, local_files_only=True, allow_patterns=list(FILES))
    except LocalEntryNotFoundError:
        return None
    wanted = ("config.json", "model.bin", "tokenizer.json")
    return Path(folder) if all(Path(folder, name).is_file() for name in wanted) else None


def download(repository: str) -> Path:
    """Download `repository` into the local cache, with a bar on stderr, and return its folder.

    Raises `OutOfReach` within 3 s, and `InputError` if the Hub has no such model or breaks off.
    """
    total = _size(repository)
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    disable_progress_bars()
    try:
        call = _Call(lambda: snapshot_download(repository, allow_patterns=list(FILES)))
        _show(repository, total, call)
        return Path(call.result())
    except Exception as error:
        raise InputError(
            f"the download of {repository} broke off ({_first_line(error)}); run again to resume it"
        ) from error
    finally:
        enable_progress_bars()


def _size(repository: str) -> int:
    """Return the bytes to download; the Hub's first answer, waited for `REACH_TIMEOUT_S`."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    if constants.HF_HUB_OFFLINE:
        raise _out_of_reach(repository, "HF_HUB_OFFLINE is set")
    # A name lookup can hang for a minute whatever timeout the request has: ask on a thread.
    call = _Call(
        lambda: HfApi().model_info(repository, files_metadata=True, timeout=REACH_TIMEOUT_S)
    )
    if not call.wait(REACH_TIMEOUT_S):
        raise _out_of_reach(repository, f"no answer in {REACH_TIMEOUT_S:g} s")
    try:
        info = call.result()
    except RepositoryNotFoundError as error:
        raise InputError(
            f"the Hugging Face Hub has no model {repository} (or it is private): "
            "check the name, or give a model folder"
        ) from error
    except HfHubHTTPError as error:
        raise InputError(
            f"the Hugging Face Hub refused {repository} ({_first_line(error)})"
        ) from error
    except Exception as error:
        raise _out_of_reach(repository, _first_line(error)) from error
    return sum(file.size or 0 for file in info.siblings or () if file.rfilename in FILES)


class _Call(Generic[_T]):
    """A function running on a thread that never keeps the process alive."""

    def __init__(self, function: Callable[[], _T]) -> None:
        self._function = function
        self._value: _T
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._function()
        except BaseException as error:
            self._error = error

    def wait(self, timeout_s: float) -> bool:
        """Return whether it has ended, after at most `timeout_s`."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def result(self) -> _T:
        """Return its value, or raise its error; call after `wait` said True."""
        if self._error is not None:
            raise self._error
        return self._value


def _show(repository: str, total: int, call: _Call[Any]) -> None:
    """Show a bar on stderr until `call` ends, by the bytes that lie in the cache."""
    from huggingface_hub import constants
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    blobs = Path(constants.HF_HUB_CACHE, f"models--{repository.replace('/', '--')}", "blobs")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TransferSpeedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(f"downloading {repository}", total=total or None)
        while not call.wait(0.2):
            progress.update(task, completed=_bytes_in(blobs))
        progress.update(task, completed=_bytes_in(blobs))


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.glob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # an unfinished file was renamed meanwhile
            continue
    return total


def _out_of_reach(repository: str, cause: str) -> OutOfReach:
    return OutOfReach(
        f"Whisper {repository} is not on this machine and the Hugging Face Hub is out of reach "
        f"({cause}); connect once, or copy the model's folder here and give it as `asr` DIR "
        "(`asr` pocketsphinx needs no download)"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
