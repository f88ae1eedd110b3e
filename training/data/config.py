"""Where the data lies, and how it is drawn."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataConfig:
    """Where the data lies, and how much of each kind a batch holds."""

    manifest: tuple[str, ...] = ()
    """JSONL manifests of recordings, comma-separated."""

    hypotheses: tuple[str, ...] = ()
    """JSONL files of what recognizers heard, joined by `audio_filepath`."""

    text: str = ""
    """Folder of `*.jsonl.gz` with lines of text; empty for none."""

    held_texts: tuple[str, ...] = ()
    """Manifests with folds: the texts of their `dev` and `test` rows are not read from `text`."""

    noise: str = ""
    """Manifest of noise recordings to mix in; empty for synthetic noise only."""

    rooms: str = ""
    """Manifest of room responses; empty for simulated rooms only."""

    recognizer: str = ""
    """CTranslate2 Whisper, folder or name, whose states are read with `model.audio=recognizer`."""

    exclude: tuple[str, ...] = ()
    """Collections left out: `set` or `text_source` of a row, or name of a text file."""

    shippable_only: bool = True
    """Train without rows marked `"shippable": false`; a test fold may hold them."""

    features: str = ""
    """Folder that keeps the front's frames between runs; empty for one in the output folder."""

    most_frames: int = 0
    """Of a sound's frames at most so many, its last, in training and in scoring; 0 for all of them.
    A trial among others costs less; a package is given all."""

    variants: int = 3
    """Random channels a recording is seen through in training; 0 for the recording as it is."""

    synthetic_variants: int = 1
    """The same of a synthetic clip; another clip costs no more than another channel."""

    synthetic_clips: int = 0
    """Synthetic clips at most, the first of their manifests; 0 for all."""

    folds: str = ""
    """Fold file, or the name of one in `training/folds`; empty for the manifests' own `fold`."""

    fold: int = 0
    """Which fold of the file is the test set, from 0."""

    dev_share: float = 0.1
    """Share of the recordings kept for the development set, by whole groups, where neither a fold
    file nor the manifest says."""

    train_size: int = 0
    """Training recordings at most, as many of each class, drawn by the seed so that a smaller set
    lies within a larger one; 0 for all."""

    transcripts: str = "auto"
    """Whose words are read: `gold` the manifest's (confidence missing), `asr` a recognizer's,
    `none` nobody's; `auto` a mixture of both in training, and the recognizer's first in scoring."""

    sound: bool = True
    """Whether the sound is given, in training and in scoring; without it only the words are."""

    text_share: float = 0.3
    """Share of a batch that is lines of text without sound."""

    borrowed_share: float = 0.3
    """Share of the recordings (not synthetic) that are given a random line of text, and its label:
    they teach that the sound of a collection says nothing once the words are clear."""

    synthetic_share: float = 0.6
    """Share of the recordings in a batch drawn from rows that name their `engine`."""
