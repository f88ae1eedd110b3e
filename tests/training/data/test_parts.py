"""Rows of one recording: each is trained on its own sound and its own words."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.judge.recording import read_recordings
from training.data.clip import Clip
from training.data.hypotheses import read_hypotheses
from training.data.manifest import found_labels, read_manifest
from training.fitting.recipe import build_recipe
from training.fitting.workbench import surroundings
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import read_manifest as read_items

LABELS = ("not_directed", "directed")


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def row(label="directed", **more):
    return {"audio_filepath": "long.wav", "label": label, **more}


def heard(text, **more):
    asr = {"backend": "whisper", "avg_logprob": -0.5}
    return {"audio_filepath": "long.wav", "text": "truth", "text_used": text, "asr": asr, **more}


PARTS = (
    {"duration": 1.5},
    {"offset": 1.5, "duration": 1.0},
    {"offset": 2.5, "duration": 1.0},
    {"offset": 2.5},
)


def test_every_part_of_a_recording_has_its_own_words(tmp_path):
    rows = [row(LABELS[index % 2], **part) for index, part in enumerate(PARTS)]
    manifest = write(tmp_path / "m.jsonl", *rows)
    said = [heard(f"words {index}", **part) for index, part in enumerate(PARTS)]
    listed = read_hypotheses([write(tmp_path / "h.jsonl", *reversed(said))])
    found = read_manifest(manifest, LABELS, listed)
    assert [row.words("auto")[0] for row in found] == [f"words {index}" for index in range(4)]
    assert [len(row.hypotheses) for row in found] == [1] * 4
    judged = read_recordings(manifest, [tmp_path / "h.jsonl"])
    assert [one.transcript.text for one in judged] == [f"words {index}" for index in range(4)]


def test_a_part_that_nobody_heard_has_no_words(tmp_path):
    manifest = write(tmp_path / "m.jsonl", *(row(**part) for part in PARTS))
    failed = {**row(text="truth", **PARTS[0]), "error": "unreadable"}
    listed = write(tmp_path / "h.jsonl", heard("second", **PARTS[1]), failed)
    found = read_manifest(manifest, LABELS, read_hypotheses([listed]))
    assert [row.hypotheses[0].text if row.hypotheses else None for row in found] == [
        None, "second", None, None
    ]  # fmt: skip


def test_seconds_written_differently_are_the_same_part(tmp_path):
    manifest = write(
        tmp_path / "m.jsonl", row(offset=None, duration=2), row(offset=0.1 + 0.2, duration=1)
    )
    listed = write(
        tmp_path / "h.jsonl", heard("a", duration=2.0), heard("b", offset=0.3, duration=1)
    )
    found = read_manifest(manifest, LABELS, read_hypotheses([listed]))
    assert [row.words("asr")[0] for row in found] == ["a", "b"]


@pytest.mark.parametrize("known", [{}, {"offset": 0.0}, {"duration": 2.31}])
def test_a_list_without_lengths_is_of_the_only_part(known, tmp_path):
    manifest = write(tmp_path / "m.jsonl", row(**known))
    listed = write(tmp_path / "h.jsonl", {"audio_filepath": "long.wav", "text": "on"})
    (found,) = read_manifest(manifest, LABELS, read_hypotheses([listed]))
    assert found.words("asr")[0] == "on"


@pytest.mark.parametrize("parts", [PARTS[:2], PARTS[1:2]])
def test_words_of_a_whole_recording_are_not_shared_out(parts, tmp_path):
    manifest = write(tmp_path / "m.jsonl", *(row(**part) for part in parts))
    listed = write(tmp_path / "h.jsonl", {"audio_filepath": "long.wav", "text": "all of it"})
    with pytest.raises(InputError, match="long.wav without offset and duration"):
        read_manifest(manifest, LABELS, read_hypotheses([listed]))


def test_training_hears_what_evaluation_hears(tmp_path):
    given = [{}, {"duration": 1}, {"offset": None, "duration": 1}, {"offset": 0}, {"offset": 1.5}]
    manifest = write(tmp_path / "m.jsonl", *(row(**part) for part in given))
    items = read_items(manifest)
    clips = [Clip(item.path, item.offset_s, item.duration_s) for item in items]
    assert [row.clip for row in read_manifest(manifest, LABELS, {})] == clips
    assert [
        Clip(one.path, one.offset_s, one.duration_s) for one in read_recordings(manifest)
    ] == clips


def test_noises_are_parts_too(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "long.wav", np.arange(3_200, dtype=np.int16), 16_000)
    text = "\u2028"
    rows = [row(text=text, offset=0.1, duration=0.05), row(shippable=False)]
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)
    (tmp_path / "n.jsonl").write_text(lines, "utf-8")
    noise = surroundings(build_recipe("rej", [f"data.noise={tmp_path / 'n.jsonl'}"])).noises
    assert [len(wave) for wave in noise] == [800]


def test_a_later_part_has_a_channel_of_its_own():
    names = [Clip(Path("x/a.wav"), start).name for start in (0.0, 2.5)]
    assert names == ["a.wav", "a.wav@2.5"]


@pytest.mark.parametrize("label", ["Directed", "not-directed ", "DIRECTED"])
def test_misspelt_labels_are_told(label, tmp_path):
    manifest = write(tmp_path / "m.jsonl", row("directed"), row(label))
    for read in (
        lambda: read_manifest(manifest, LABELS, {}),
        lambda: found_labels([manifest]),
        lambda: read_recordings(manifest),
    ):
        with pytest.raises(InputError, match="item 2: label .* differs only in case"):
            read()


def test_labels_of_ones_own_are_held_against_one_another(tmp_path):
    first = write(tmp_path / "a.jsonl", row("happy"), row("sad"))
    second = write(tmp_path / "b.jsonl", row("Happy"))
    with pytest.raises(InputError, match="b.jsonl, item 1: label 'Happy'"):
        found_labels([first, second])
