"""Features of recordings, kept on disk a hundred recordings at a time."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from tools.measurements.sound_teacher.channel import Channel
from tools.measurements.sound_teacher.listeners import Features, Listener
from training.data.clip import Clip

_PART = 100
_STDERR = Console(stderr=True)


def kept_features(
    listeners: Mapping[str, Listener],
    clips: Sequence[Clip],
    channel: Channel,
    draw: int,
    folder: Path,
) -> dict[str, Features]:
    """Return what each listener makes of the same sounds; `folder` has what was made before."""
    folder.mkdir(parents=True, exist_ok=True)
    parts: dict[str, list[Features]] = {name: [] for name in listeners}
    for start in track(range(0, len(clips), _PART), f"channels {draw}", console=_STDERR):
        part = clips[start : start + _PART]
        places = [f"{clip.path.resolve()}@{clip.offset_s}/{clip.duration_s}" for clip in part]
        made = "\n".join([channel.key, str(draw), *places])
        paths = {
            name: folder / f"{hashlib.sha256(f'{one.key} {made}'.encode()).hexdigest()[:16]}.npy"
            for name, one in listeners.items()
        }
        missing = [name for name, path in paths.items() if not path.exists()]
        waves = [channel(clip, draw) for clip in part] if missing else []
        for name in missing:
            partial = paths[name].with_suffix(".part.npy")
            np.save(partial, listeners[name](waves).astype(np.float16))
            partial.replace(paths[name])
        for name, path in paths.items():
            parts[name].append(np.load(path).astype(np.float32))
    return {name: np.concatenate(found) for name, found in parts.items()}
