"""What is heard behind the clips: the corpus's own voices, and recordings that are given."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from tools.corpus.plan import PlannedClip
from tools.corpus.scene import GivenSound, Scene
from tools.corpus.scene_sound import write_flac
from tools.corpus.synthesis import clean_speech
from tools.corpus.text_collections import fold_of
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import clip_blocks, read_clip
from turbo_stream.evaluation.corpus.manifest import read_manifest

Wave = NDArray[np.float32]


class Background:
    """The talkers of each fold, spoken into `folder` when they are first heard."""

    def __init__(
        self,
        folder: Path,
        talkers: Mapping[str, Sequence[PlannedClip]],
        kokoro: Path | None = None,
    ) -> None:
        """Nothing is spoken or read yet; `kokoro` is the folder of that engine."""
        self._folder, self._talkers, self._kokoro = folder, talkers, kokoro

    def prepare(self, scenes: Iterable[Scene]) -> None:
        """Speak who is heard in `scenes`, but for those whose file is there already.

        Raises `InputError` when an engine refuses one.
        """
        wanted = {(scene.fold, other) for scene in scenes for other in scene.others}
        for fold in sorted({fold for fold, _ in wanted}):
            self._speak(
                clip
                for clip in self._talkers[fold]
                if (fold, clip.number) in wanted and not self._path(fold, clip.number).is_file()
            )

    def talker(self, fold: str, number: int) -> Wave:
        """Return a sentence of somebody, `[N]`."""
        return _read(self._path(fold, number))

    def recording(self, sound: GivenSound) -> Wave:
        """Return a recorded noise or room response, `[N]`."""
        return _read_recording(sound)

    def _speak(self, clips: Iterable[PlannedClip]) -> None:
        missing = list(clips)
        speech = clean_speech(missing, self._kokoro)
        for clip in missing:
            if clip.number not in speech:
                raise InputError(
                    f"{clip.voice.name} cannot say {clip.item.text!r}; take other texts"
                )
            samples = speech[clip.number]
            pcm = np.rint(samples / np.abs(samples).max() * 0.9 * 32767).astype(np.int16)
            write_flac(self._path(clip.item.fold, clip.number), pcm)

    def _path(self, fold: str, number: int) -> Path:
        return self._folder / fold / f"{number:03d}.flac"


def given_sounds(manifest: Path | None) -> list[GivenSound]:
    """Return the noises or room responses of a manifest, but for those that may not ship.

    A sound, or the `group` it belongs to, stands on one side of the split. Raises `InputError`
    for a row that cannot be read.
    """
    if manifest is None:
        return []
    sounds = []
    for item in read_manifest(manifest):
        if not item.row.get("shippable", True):
            continue
        next(clip_blocks(item.path, item.offset_s, item.duration_s))
        fold = fold_of(str(item.row.get("group") or item.row["audio_filepath"]))
        license_name = str(item.row.get("license") or "unknown")
        path = str(item.path.resolve())
        sounds.append(GivenSound(path, license_name, fold, item.offset_s, item.duration_s))
    if not sounds:
        raise InputError(f"{manifest} holds no recording that may ship: none is marked shippable")
    return sounds


@lru_cache(256)
def _read(path: Path) -> Wave:
    return soundfile.read(path, dtype="float32")[0]


@lru_cache(256)
def _read_recording(sound: GivenSound) -> Wave:
    pcm = read_clip(Path(sound.path), sound.offset_s, sound.duration_s)
    return pcm.astype(np.float32) / 32768.0
