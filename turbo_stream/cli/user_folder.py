"""Where this user's settings are kept."""

import os
import sys
from pathlib import Path


def user_folder() -> Path:
    """Return the folder of turbo_stream among the user's settings, there or not."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "turbo-stream"
