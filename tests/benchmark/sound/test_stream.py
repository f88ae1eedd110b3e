"""Streams with known speech: cut, turned, tightened, joined from clips, read from files."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.paths import KITCHEN as SCENE
from turbo_stream.benchmark.sound.joining import join_clips
from turbo_stream.benchmark.sound.material import KITCHEN, read_material
from turbo_stream.benchmark.sound.stream import Stream, first_of_all
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.corpus.spans import Span

RATE = 16_000


@pytest.fixture(scope="module")
def stream(kitchen_pcm: np.ndarray, kitchen_spans: list[dict]) -> Stream:
    spans = (Span(s["start_s"], s["end_s"], s["label"], s["text"]) for s in kitchen_spans)
    return Stream("kitchen", kitchen_pcm, tuple(spans))


def said(stream: Stream) -> dict[str, bytes]:
    """The sound of each span by its text, without a sample at either edge (rounding)."""
    assert stream.spans is not None
    assert list(stream.spans) == sorted(stream.spans, key=lambda span: span.start_s)
    return {
        f"{span.text} {span.label}": stream.pcm[
            round(span.start_s * RATE) + 1 : round(span.end_s * RATE) - 1
        ].tobytes()
        for span in stream.spans
    }


def test_turned_it_holds_the_same_speech_at_other_times(stream: Stream) -> None:
    whole = said(stream)
    for share in (0.0, 0.3, 0.97):
        turned = stream.turned(share)
        assert said(turned) == whole
        assert len(turned.pcm) == len(stream.pcm)
    assert stream.turned(0.3).spans[0].text != stream.spans[0].text


def test_tightened_it_holds_the_same_speech_in_less_time(stream: Stream) -> None:
    tight = stream.without_long_silences(1.0)
    assert said(tight) == said(stream)
    gaps = [b.start_s - a.end_s for a, b in zip(tight.spans, tight.spans[1:], strict=False)]
    assert max(gaps) < 1.001 and len(tight.pcm) < len(stream.pcm)


def test_the_first_seconds_end_between_two_utterances(stream: Stream) -> None:
    short = stream.first(10.0)
    assert [span.text for span in short.spans] == [span.text for span in stream.spans[:2]]
    assert short.spans[-1].end_s < short.duration_s <= stream.spans[2].start_s
    assert said(short).items() <= said(stream).items()
    assert stream.first(1e9) is stream
    assert len(stream.first(0.1).spans) == 1, "one utterance is the least"
    unknown = Stream("noise", stream.pcm, None).first(10.0)
    assert unknown.spans is None and unknown.duration_s == 10.0
    silent = Stream("silence", stream.pcm, ()).first(10.0)
    assert silent.spans == () and silent.duration_s == 10.0
    both = first_of_all([stream, stream], stream.duration_s + 10)
    assert [len(one.spans) for one in both] == [15, 2]


def clips(folder: Path, stream: Stream) -> list[Item]:
    """Files of the first four utterances, with 0.3 s before and 0.2 s after the speech."""
    items = []
    for number, span in enumerate(stream.spans[:4]):
        start, stop = round((span.start_s - 0.3) * RATE), round((span.end_s + 0.2) * RATE)
        path = folder / f"{number}.flac"
        soundfile.write(path, stream.pcm[start:stop], RATE)
        items.append(Item(number, {"label": span.label, "text": span.text}, path))
    return items


def test_joined_clips_know_where_their_speech_is(tmp_path: Path, stream: Stream) -> None:
    items = clips(tmp_path, stream)
    noise = tmp_path / "noise.flac"
    soundfile.write(noise, np.random.default_rng(0).normal(0, 0.1, 2 * RATE), RATE)
    joined = join_clips("four", [*items, Item(4, {}, noise)], 1e9, seed=3)
    assert joined.left_out == 1
    found = {span.text: span for span in joined.stream.spans}
    assert found.keys() == {item.text for item in items}
    for span in stream.spans[:4]:
        # The room of the scene rings on for a while after the dry voice has ended.
        length = found[span.text].end_s - found[span.text].start_s
        assert length == pytest.approx(span.end_s - span.start_s, abs=0.2)
        assert found[span.text].label == span.label
    gaps = [
        b.start_s - a.end_s
        for a, b in zip(joined.stream.spans, joined.stream.spans[1:], strict=False)
    ]
    assert min(gaps) > 1.2
    again = join_clips("four", [*items, Item(4, {}, noise)], 1e9, seed=3)
    assert (again.stream.pcm == joined.stream.pcm).all()
    assert len(join_clips("four", items, 1.0, seed=3).stream.spans) == 1
    with pytest.raises(InputError, match="none of 1 clips can be used"):
        join_clips("noise", [Item(0, {}, noise)], 1e9, seed=0)


def test_recordings_are_read_with_what_is_known_of_them(tmp_path: Path, stream: Stream) -> None:
    bare = tmp_path / "bare.wav"
    soundfile.write(bare, stream.pcm[: 3 * RATE], RATE)
    manifest = tmp_path / "m.jsonl"
    segments = [{"start_s": 1.2, "end_s": 2.875, "label": "directed"}]
    rows = [{"audio_filepath": "bare.wav", "segments": segments}]
    rows += [{"audio_filepath": item.path.name, **item.row} for item in clips(tmp_path, stream)]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    material = read_material([SCENE, bare, manifest], 60.0)
    known = [None if one.spans is None else len(one.spans) for one in material.streams]
    assert known == [15, None, 1, 4]
    assert len(material.truths) == 3
    short = read_material([SCENE], 10.0).streams[0]
    assert short.duration_s == 10.0 and len(short.spans) == 2
    (tmp_path / "bare.json").write_text("no json", "utf-8")
    with pytest.raises(InputError, match=r"bare\.json, which should hold the segments"):
        read_material([bare], 10.0)


def test_the_recording_in_the_package_is_the_shipped_scene(stream: Stream) -> None:
    (packed,) = read_material([], 1e9).streams
    assert packed.spans == stream.spans and len(packed.pcm) == len(stream.pcm)
    alike = np.corrcoef(packed.pcm.astype(float), stream.pcm.astype(float))[0, 1]
    assert alike > 0.99
    assert KITCHEN.stat().st_size < 300_000
