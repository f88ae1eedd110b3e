"""Every way in: JSONL, NeMo, CSV, a folder tree; and mistakes named by row."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.clip import clip_blocks, read_clip
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.rows import BinaryItems, duration_of
from turbo_stream.evaluation.corpus.spans import read_spans


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_json_lines_keep_every_column(tmp_path: Path) -> None:
    row = {"audio_filepath": "a.wav", "label": "directed", "snr": 3, "tags": ["x"], "text": "hi"}
    nemo = {"audio_filepath": "/b.wav", "duration": 1.5, "text": "ho", "offset": 0.25}
    path = write(tmp_path / "m.jsonl", f"{json.dumps(row)}\n\n{json.dumps(nemo)}\n")
    first, second = read_manifest(path)
    assert first.row == row and second.row == nemo
    assert (first.index, second.index) == (0, 1)
    assert first.path == tmp_path / "a.wav" and second.path == Path("/b.wav")
    assert (second.offset_s, second.duration_s, second.text) == (0.25, 1.5, "ho")
    assert (first.offset_s, first.duration_s, first.device_name) == (0.0, None, None)


def test_csv(tmp_path: Path) -> None:
    header = "audio_filepath,label,duration,text"
    table = f'{header}\na.wav,directed,1.5,"on, please"\nb.wav,not_directed,,\n'
    first, second = read_manifest(write(tmp_path / "m.csv", table))
    assert first.row == {
        "audio_filepath": "a.wav",
        "label": "directed",
        "duration": 1.5,
        "text": "on, please",
    }
    assert second.row == {"audio_filepath": "b.wav", "label": "not_directed"}


def test_a_folder_per_label(tmp_path: Path) -> None:
    for name in ("directed/b.wav", "directed/deep/a.FLAC", "not_directed/c.ogg", "stray.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    write(tmp_path / "directed/notes.txt", "no sound")
    rows = [item.row for item in read_manifest(tmp_path)]
    assert rows == [
        {"audio_filepath": "directed/b.wav", "label": "directed"},
        {"audio_filepath": "directed/deep/a.FLAC", "label": "directed"},
        {"audio_filepath": "not_directed/c.ogg", "label": "not_directed"},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no items"),
        ("{", "line 1 is no JSON"),
        ('{"audio_filepath": "a.wav"}\n[1]', "item 2 is [1]"),
        ('{"label": "directed"}', "item 1 has no audio_filepath"),
        ('{"audio_filepath": "a", "offset": -1}', "offset is -1; give seconds from 0"),
        ('{"audio_filepath": "a", "duration": "1"}', "duration is '1'"),
        ('{"audio_filepath": "a", "offset": NaN}', "offset is nan"),
        ('{"audio_filepath": "a", "tags": ' + "[" * 900 + "]" * 900 + "}", "more than 50 deep"),
        ('{"audio_filepath": "a", "label": 3}', "label is 3; give a text"),
        ('{"audio_filepath": "a", "before": ["hm"]}', "before is ['hm']; give a text"),
    ],
)
def test_mistakes_are_named_by_row(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_manifest(write(tmp_path / "m.jsonl", text))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_cell_that_is_no_number_is_cut_short(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", f"audio_filepath,offset\na.wav,{'x' * 5_000}\n")
    with pytest.raises(InputError, match="line 2: 'x+ is no number; give seconds") as error:
        read_manifest(path)
    assert len(str(error.value)) < 300


def test_numbers_beyond_a_float_are_refused_or_left_out() -> None:
    with pytest.raises(InputError, match="directed_probability is 1000"):
        BinaryItems.from_rows([{"label": "directed", "directed_probability": 10**400}])
    assert duration_of({"audio_s": 10**400, "duration": 1.5}) == 1.5
    with pytest.raises(InputError, match="a segment runs from 0 to 1000"):
        read_spans({"segments": [{"start_s": 0, "end_s": 10**400, "label": "directed"}]})


def test_a_missing_or_binary_manifest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(tmp_path / "none.jsonl")
    (tmp_path / "b.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_manifest(tmp_path / "b.jsonl")


@pytest.mark.parametrize("kind", ["wav", "flac", "ogg"])
@pytest.mark.parametrize(
    ("offset_s", "duration_s", "first", "last"),
    [
        (0, None, 0, 48_000),
        (0.5, None, 8_000, 48_000),
        (0.51, 1.003, 8_160, 24_208),
        (2.5, 9, 40_000, 48_000),
    ],
)
def test_a_clip_is_cut_to_the_sample(tmp_path, kind, offset_s, duration_s, first, last) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, 48_000).astype(np.int16)
    path = tmp_path / f"a.{kind}"
    soundfile.write(path, noise, 16_000)
    whole = read_clip(path)
    assert len(whole) == 48_000 and (kind == "ogg" or np.array_equal(whole, noise))
    np.testing.assert_array_equal(read_clip(path, offset_s, duration_s), whole[first:last])
    assert max(len(block) for block in clip_blocks(path, offset_s, duration_s)) < 4000


def test_a_clip_of_another_rate_has_its_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(3 * 44_100, np.int16), 44_100)
    assert len(read_clip(tmp_path / "a.wav", 0.7, 1.25)) == 20_000


def test_a_clip_beyond_the_end_is_said(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000, np.int16), 16_000)
    with pytest.raises(InputError, match=r"no sound from 2.0 s on; check offset"):
        read_clip(tmp_path / "a.wav", 2.0)
