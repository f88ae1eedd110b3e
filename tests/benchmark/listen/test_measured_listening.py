"""`turbo-bench listen` with the real parts, on little sound: counts, and how they add up."""

import json
from pathlib import Path

import pytest
import soundfile

from tests.support.paths import ROOT
from turbo_stream import Models, Pipeline, Settings
from turbo_stream.benchmark.listen._cost import conversation_cost, quiet_cost
from turbo_stream.benchmark.listen.benchmark import ListenSettings, benchmark_listen
from turbo_stream.benchmark.listen.report import brief, listen_plot
from turbo_stream.benchmark.listen.timed_decisions import hear_fast, hear_live
from turbo_stream.benchmark.report import show
from turbo_stream.benchmark.sound.material import read_material
from turbo_stream.benchmark.sound.stream import Stream

pytestmark = pytest.mark.slow

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"
RATE = 16_000


@pytest.fixture(scope="module")
def models() -> Models:
    return Models.load(Settings(asr=str(WHISPER)))


@pytest.fixture(scope="module")
def pipeline(models: Models) -> Pipeline:
    return models.stream()


@pytest.fixture(scope="module")
def short() -> Stream:
    """The first utterance of the scene, 4.4 s."""
    return read_material([], 60.0).streams[0].first(4.4)


@pytest.fixture(scope="module")
def recording(tmp_path_factory, kitchen_pcm) -> Path:
    """The first utterance, with its span beside it; played in 4.4 s."""
    path = tmp_path_factory.mktemp("recording") / "first.wav"
    soundfile.write(path, kitchen_pcm[: 4 * RATE + 6000], RATE)
    segments = [{"start_s": 1.2, "end_s": 2.875, "label": "directed"}]
    path.with_suffix(".json").write_text(json.dumps({"segments": segments}), "utf-8")
    return path


@pytest.fixture(scope="module")
def found(recording: Path) -> dict:
    settings = ListenSettings(
        realtime_s=5.0,
        full_speed_s=20.0,
        streams=2,
        quiet_s=20.0,
        live_quiet_s=0.5,
        talk_s=8.0,
        starts=1,
    )
    told: list[float] = []
    found = benchmark_listen(
        [recording],
        settings,
        Settings(asr=str(WHISPER)),
        flags=["--asr", str(WHISPER)],
        progress=lambda what, share: told.append(share),
    )
    assert told == sorted(told) and told[0] == 0 and told[-1] < 1
    return found


def test_every_utterance_is_accounted_for_in_each_way_of_feeding(found: dict) -> None:
    for mode, utterances in (("full_speed", 1), ("realtime", 1), ("streams", 2)):
        one = found[mode]
        fates = ("whole", "cut", "merged", "missed")
        assert one["utterances"] == utterances == sum(one[fate] for fate in fates), mode
        assert one["response_ms"]["n"] == one["whole"] == len(one["delays_ms"]) == utterances
        for delays in (one["response_ms"], one["work_ms"], one["end_silence_ms"]):
            assert 0 <= delays["p50"] <= delays["p95"] <= delays["p99"] <= delays["max"]
        response = sorted(silence + work for silence, work in one["delays_ms"])
        assert response[-1] == pytest.approx(one["response_ms"]["max"])
        assert one["parts_of_work_ms"]["asr"]["n"] == utterances
    assert found["material"]["speech_s"] == pytest.approx(1.675)


def test_what_is_done_ahead_and_left_out_is_told(found: dict) -> None:
    accounts = found["realtime"]["speculation"]
    assert accounts["used"] <= accounts["started"]
    assert 0 <= found["conversation"]["texts_saved"] <= 1
    assert found["streams"]["streams"] == found["streams"]["lag_at_end_ms"]["n"] == 2
    assert 0 <= found["streams"]["behind"] <= 2
    assert not found["full_speed"]["degraded"] and not found["full_speed"]["dropped"]


def test_the_stages_make_up_the_processor_time(found: dict) -> None:
    talk = found["conversation"]
    stages = talk["cpu_ms_per_s"]
    assert stages.keys() == {"segmentation", "pause_scorer", "asr", "turbo", "other"}
    assert sum(stages.values()) == pytest.approx(1000 * talk["cpu_share"])
    assert stages["segmentation"] > 0 and stages["asr"] > 0 and stages["turbo"] > 0
    assert talk["streams_per_core"] == pytest.approx(1 / talk["cpu_share"])
    assert talk["calls_per_utterance"]["turbo"] == 1
    assert found["quiet"]["cpu_share"] < talk["cpu_share"]
    assert found["quiet"]["events"] == found["live_quiet"]["events"] == 0


def test_start_and_memory(found: dict) -> None:
    start = found["cold_start"]
    assert 0 < start["import_s"] < start["ready_s"] < start["wall_s"]
    assert start["audio_s"] == pytest.approx(54.56)
    memory = found["resident_mb"]
    order = ["before", "ready"]
    order += [f"after_{part}" for part in ("full_speed", "quiet", "conversation", "live_quiet")]
    assert list(memory) == [*order, "after_realtime", "after_streams"]
    assert all(megabytes > 10 for megabytes in memory.values())
    assert start["ready_mb"] <= start["peak_mb"]


def test_json_table_and_picture(found: dict, capsys) -> None:
    show("listen", found, as_json=True)
    assert json.loads(capsys.readouterr().out) == found
    show("listen", brief(found), as_json=False)
    table = capsys.readouterr().out
    for word in ("machine.cpu", "response", "merged", "conversation.streams_per_core", "realtime"):
        assert word in table
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'turbo-listen[eval]'")
    assert listen_plot(found).startswith(b"\x89PNG")
    partly = {key: value for key, value in found.items() if key not in ("streams", "realtime")}
    assert listen_plot(partly) != listen_plot(found)


def test_both_ways_of_feeding_hear_the_same(pipeline: Pipeline, short: Stream) -> None:
    fast, live = hear_fast(pipeline, short, 96), hear_live(pipeline, short, 20)
    decided = [
        [(v.utterance.start_s, v.utterance.decision) for v in one.decisions] for one in (fast, live)
    ]
    assert decided[0] == decided[1] and len(decided[0]) == 1
    assert live.finished.audio_s == fast.finished.audio_s == pytest.approx(short.duration_s)
    for one in (fast, live):
        for verdict, span in zip(one.decisions, short.spans, strict=True):
            assert span.end_s < verdict.endpoint_s <= verdict.at_s < short.duration_s + 1


def test_without_known_spans_the_event_is_believed(models: Models, short: Stream) -> None:
    heard = hear_fast(models.stream(), Stream("unknown", short.pcm, None), 96)
    assert len(heard.decisions) == 1
    talk = conversation_cost(models, [heard.stream], 9.0, 96)
    assert talk["seconds"] == pytest.approx(9.0)


def test_a_quiet_room_is_as_long_as_asked_and_silent(pipeline: Pipeline) -> None:
    quiet = quiet_cost(pipeline, 40.0, 20)
    assert quiet["events"] == 0 and quiet["seconds"] == 40.0
    assert pipeline.segmented.segmenter.fed_samples == 40 * RATE
