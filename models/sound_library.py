"""The one place where torchaudio is imported."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

_EXTENSION = "torchaudio._extension"


def _no_alignment(function: Callable) -> Callable:
    """Stand in for what needs the compiled part: calling it says so."""

    def refuse(*args: object, **kwargs: object) -> object:
        raise RuntimeError(f"{function.__name__} needs torchaudio's compiled part, see load")

    return refuse


def _stand_in() -> ModuleType:
    module = ModuleType(_EXTENSION)
    stand_ins = {
        "_IS_TORCHAUDIO_EXT_AVAILABLE": False,
        "_IS_ALIGN_AVAILABLE": False,
        "fail_if_no_align": _no_alignment,
        "_check_cuda_version": lambda: None,
    }
    vars(module).update(stand_ins)
    return module


def load_torchaudio() -> ModuleType:
    """Return torchaudio, its compiled part left out where that cannot be loaded.

    The wheel on PyPI is built for CUDA: beside a CPU build of torch the import itself fails,
    although masks, filters and spectrograms are plain Python. transformers imports torchaudio if it
    is installed, and so needs this first, too.

    Raises:
        ModuleNotFoundError: torchaudio is not installed.
    """
    try:
        return importlib.import_module("torchaudio")
    except ModuleNotFoundError:
        raise
    except (OSError, ImportError, RuntimeError):
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules[_EXTENSION] = _stand_in()
        return importlib.import_module("torchaudio")
