import json
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("scipy", reason="needs the train extra")

from tests.support.needs import needs
from tools.corpus.hearing import HYPOTHESES_NAME, Hearing, recognizer_names
from tools.corpus.scene_sound import speak
from training.data.hypotheses import MISSING, read_hypotheses
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.part import Part


@needs("flite")
def test_clips_are_heard_once_and_read_by_the_trainer(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    with (tmp_path / "manifest.jsonl").open("w") as file:
        for word in ("stop", "yes", "kitchen"):
            soundfile.write(tmp_path / "clips" / f"{word}.flac", speak(word, "slt"), 16_000)
            row = {"audio_filepath": f"clips/{word}.flac", "label": "directed", "text": word}
            file.write(json.dumps(row) + "\n")
    hearing = Hearing(tmp_path, "pocketsphinx", "pocketsphinx")
    assert (hearing.total, len(hearing.left)) == (3, 3)
    assert sum(hearing.run(1)) == 3
    path = tmp_path / HYPOTHESES_NAME
    whole = path.read_bytes()
    heard = read_hypotheses([path])
    assert [part.path for part in heard] == [
        "clips/stop.flac",
        "clips/yes.flac",
        "clips/kitchen.flac",
    ]
    (stop,) = heard[Part("clips/stop.flac")]
    assert stop.text == "stop"
    assert stop.confidence != MISSING

    # Killed within the second line: the first is kept, the others are heard again.
    path.write_bytes(whole[: whole.index(b"\n") + 20])
    hearing = Hearing(tmp_path, "pocketsphinx", "pocketsphinx")
    assert hearing.left == ["clips/yes.flac", "clips/kitchen.flac"]
    assert sum(hearing.run(1)) == 2
    assert path.read_bytes() == whole
    # Another recognizer hears all of them, into the same file.
    assert len(Hearing(tmp_path, "elsewhere", "whisper:tiny.en").left) == 3


def test_recognizers_must_hear_something_and_be_told_apart() -> None:
    assert recognizer_names(["pocketsphinx"]) == {"pocketsphinx": "pocketsphinx"}
    with pytest.raises(InputError, match="hears nothing"):
        recognizer_names(["none"])
    with pytest.raises(InputError, match="both called pocketsphinx"):
        recognizer_names(["pocketsphinx", "pocketsphinx"])
