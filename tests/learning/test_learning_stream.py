"""A stream that learns: off it changes nothing, waiting nothing, and in use one number, once."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.streams import feed, untimed
from tests.support.tiny_package import write_package
from turbo_stream import (
    Event,
    InputError,
    LiveConfig,
    LivePipeline,
    Models,
    PackageError,
    PushSource,
    Settings,
    Utterance,
)
from turbo_stream._util.probability import shifted
from turbo_stream.detection.package import SHIPPED, ModelPackage
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.learning import learner as learner_module
from turbo_stream.learning.gate import Judged
from turbo_stream.learning.head import fit
from turbo_stream.recognition.recognizer import Transcript


def load(package: Path, learn: Path | None = None, **more) -> Models:
    return Models.load(
        Settings(package, asr=ScriptedRecognizer(), learn=learn, vad="webrtc", **more)
    )


def without_ids(events: list[Event]) -> list[Event]:
    """The ids are random."""
    return [
        replace(one, correction_id=None) if isinstance(one, Utterance) else one
        for one in untimed(events)
    ]


def utterances(events: list[Event]) -> list[Utterance]:
    return [one for one in events if isinstance(one, Utterance)]


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was learned is used at once, without proof."""

    def judge(examples, kernel) -> Judged:
        return Judged(
            fit(examples, kernel) if len({one.directed for one in examples}) == 2 else None
        )

    monkeypatch.setattr(learner_module, "judge", judge)


def taught(package: Path, path: Path, excerpt: np.ndarray) -> tuple[Models, list[Utterance]]:
    """Models that were corrected in each utterance but the last, and what they said before."""
    models = load(package, path)
    stream = models.stream()
    said = utterances(feed(stream, excerpt, [1600]))
    for one in said:
        stream.correct(one.correction_id, one.decision != "accepted")
    stream.correct(said[-1].correction_id, said[-1].decision == "accepted")
    return models, said


def test_off_and_waiting_are_the_same_bit_by_bit(package, tmp_path, excerpt) -> None:
    off = feed(load(package).stream(), excerpt, [1600])
    waiting = load(package, tmp_path / "learned.json")
    stream = waiting.stream()
    on = feed(stream, excerpt, [1600])
    assert without_ids(on) == untimed(off) and len(utterances(off)) == 3
    assert all("correction_id" not in one.to_json() for one in off)
    assert len({one.correction_id for one in utterances(on)}) == 3
    stream.correct(utterances(on)[0].correction_id, True)
    again = feed(waiting.stream(), excerpt, [1600])
    assert without_ids(again) == untimed(off)
    assert waiting.learner.learned.state == "waiting"


def test_what_was_learned_is_added_to_the_log_odds_once(
    package, tmp_path, excerpt, trusting
) -> None:
    models, before = taught(package, tmp_path / "learned.json", excerpt)
    after = utterances(feed(models.stream(), excerpt, [1600]))
    examples = list(models.learner.file.examples.values())
    for one, was, example in zip(after, before, examples, strict=True):
        change = models.learner.change(example.vectors)
        assert change and example.vectors.logit == pytest.approx(
            np.log(was.directed_probability / (1 - was.directed_probability)), abs=1e-6
        )
        assert one.directed_probability == shifted(was.directed_probability, change)


def test_every_way_of_scoring_agrees(package, tmp_path, excerpt, trusting) -> None:
    """Both shells, ahead of time and not, and a stream that was loaded from the file."""
    models, _ = taught(package, tmp_path / "learned.json", excerpt)
    expected = without_ids(feed(models.stream(), excerpt, [1600]))
    again = load(package, tmp_path / "learned.json")
    assert without_ids(feed(again.stream(), excerpt, [1600])) == expected
    source = PushSource(60.0)
    source.push(excerpt)
    source.end()
    nothing_gives_way = LiveConfig(max_waiting=99, skip_asr_from=99)
    stream = models.stream(partials=False)
    live = utterances(list(LivePipeline(stream, source, nothing_gives_way).run()))
    assert without_ids(live) == utterances(expected)


def test_labels_other_than_directed_keep_their_shares(tmp_path) -> None:
    from tests.support.tiny_package import tiny_graph
    from turbo_stream.detection.classifier import TurboClassifier

    three = write_package(
        tmp_path / "three",
        graph=tiny_graph(classes=3),
        labels=["directed", "not_directed", "noise"],
        calibration={"method": "affine", "scale": 0.5, "bias": [0.1, -0.2, 0.3]},
    )
    package = ModelPackage.load(three)
    pcm, text = np.full(8000, 700, np.int16), Transcript("turn on the light")
    plain = TurboClassifier(package).probabilities(pcm, text)
    changed = TurboClassifier(package, change=lambda vectors: 0.7).classify(pcm, text)
    found = changed.probabilities
    assert sum(found.values()) == pytest.approx(1)
    assert found["directed"] == shifted(plain["directed"], 0.7)
    assert found["noise"] / found["not_directed"] == pytest.approx(
        plain["noise"] / plain["not_directed"]
    )
    p = plain["directed"]
    assert changed.vectors.logit == pytest.approx(np.log(p / (1 - p)))


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sizes=st.lists(st.integers(1, 50_000), min_size=1, max_size=20))
def test_chunking_changes_nothing_between_corrections(
    package, tmp_path_factory, excerpt, trusting, sizes
) -> None:
    models, _ = taught(package, tmp_path_factory.mktemp("law") / "learned.json", excerpt)
    whole = without_ids(feed(models.stream(), excerpt, [len(excerpt)]))
    assert without_ids(feed(models.stream(), excerpt, sizes)) == whole
    assert whole != without_ids(feed(load(package).stream(), excerpt, [len(excerpt)]))


def test_a_correction_holds_from_the_next_utterance_on_for_all_streams(
    package, tmp_path, excerpt, trusting
) -> None:
    models = load(package, tmp_path / "learned.json")
    one, other = models.stream(), models.stream()
    first = utterances(feed(one, excerpt, [1600]))
    one.reset()
    half = len(excerpt) // 2
    begun = utterances(other.process(excerpt[:half]))
    for index, said in enumerate(first):
        other.correct(said.correction_id, index == 0)
    rest = utterances(other.process(excerpt[half:]) + other.flush())
    assert without_ids(begun) == without_ids(first)[: len(begun)]
    assert rest and all(
        after.directed_probability != before.directed_probability
        for after, before in zip(rest, first[len(begun) :], strict=True)
    )
    anew = utterances(feed(one, excerpt, [1600]))
    assert without_ids(anew)[len(begun) :] == without_ids(rest)


def test_the_shipped_package_leaves_vectors_of_an_utterance() -> None:
    detector = TurboDetector(ModelPackage.load(SHIPPED))
    pcm = np.random.default_rng(1).normal(0, 900, 16_000).astype(np.int16)
    spoken = detector.score(pcm, Transcript("turn on the light")).vectors
    silent = detector.score(pcm, Transcript("")).vectors
    assert spoken.audio.shape == spoken.text.shape and spoken.audio.ndim == 1
    assert spoken.has_text and not silent.has_text
    np.testing.assert_array_equal(spoken.audio, silent.audio)
    assert not np.array_equal(spoken.text, silent.text)


class TestRefused:
    def test_a_detector_of_the_callers_own(self, package, tmp_path) -> None:
        with pytest.raises(InputError, match="detector of your own"):
            Models.load(
                Settings(package, asr="none", learn=tmp_path / "learned.json"),
                detector=LoudnessDetector(),
            )

    def test_a_package_without_the_class(self, tmp_path) -> None:
        other = write_package(tmp_path / "other", labels=["cat", "dog"], threshold=None)
        with pytest.raises(PackageError, match="'directed'"):
            load(other, tmp_path / "learned.json")

    def test_a_package_whose_vectors_are_none(self, tmp_path) -> None:
        import onnx
        from onnx import numpy_helper

        from tests.support.tiny_package import tiny_graph

        graph = onnx.load_from_string(tiny_graph())
        # The logits stay finite; the text's vector does not.
        row = next(node for node in graph.graph.node if node.output[0] == "text_embedding")
        row.input[1] = "nothing"
        bad = np.full((1, 1), np.nan, np.float32)
        graph.graph.initializer.append(numpy_helper.from_array(bad, "nothing"))
        everything = next(node for node in graph.graph.node if node.output[0] == "all")
        everything.input[1] = "finite"
        node = onnx.helper.make_node("Concat", ["sums_float", "row"], ["finite"], axis=1)
        graph.graph.node.insert(list(graph.graph.node).index(everything), node)
        odd = write_package(tmp_path / "odd", graph=graph.SerializeToString())
        assert load(odd).stream()  # without learning it serves
        with pytest.raises(PackageError, match="text_embedding"):
            load(odd, tmp_path / "learned.json")

    def test_a_correction_where_nothing_is_learned(self, package) -> None:
        with pytest.raises(InputError, match="`learn`"):
            load(package).stream().correct("00", directed=True)

    def test_a_file_of_another_model(self, package, tmp_path, excerpt) -> None:
        path = tmp_path / "learned.json"
        taught(package, path, excerpt)
        kept = path.read_bytes()
        newer = {"method": "affine", "scale": 1.6, "bias": [0.1, -0.2]}
        other = write_package(tmp_path / "newer", version="1.1", calibration=newer)
        with pytest.raises(InputError, match=r"tiny 1\.0 .* tiny 1\.1 .*`learn` of its own"):
            load(other, path)
        assert path.read_bytes() == kept
        card = write_package(tmp_path / "card", metrics={"eer": 0.1})
        assert load(card, path).learner.learned.directed + 1


def test_the_event_with_its_id_fits_its_schema(package, tmp_path, excerpt) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from turbo_stream.serving._event_schema import event_schemas

    schema = event_schemas()["Utterance"]
    for learn in (None, tmp_path / "learned.json"):
        events = feed(load(package, learn).stream(), excerpt, [1600])
        for one in utterances(events):
            body = json.loads(json.dumps(one.to_json()))
            jsonschema.validate(body, schema)
            assert ("correction_id" in body) == (learn is not None)
