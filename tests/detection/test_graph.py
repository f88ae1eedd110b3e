import numpy as np
import pytest

from tests.support.tiny_package import tiny_graph, write_package
from turbo_stream.detection._graph import TurboGraph
from turbo_stream.detection.audio_input import MIN_SAMPLES
from turbo_stream.detection.package import ModelPackage
from turbo_stream.errors import PackageError, TurboStreamError
from turbo_stream.recognition.recognizer import Confidence, Transcript
from turbo_stream.recognition.told import told

IDS = np.array([[2, 4, 3]], np.int64)
MASK = np.ones_like(IDS)
CONFIDENCE = told(Transcript("turn on", Confidence(-0.5, 0.25, 1.5))).vector


def load(tmp_path, **changes):
    return TurboGraph(ModelPackage.load(write_package(tmp_path / "tiny", **changes)))


def noise(samples, seed=0):
    return np.random.default_rng(seed).integers(-9000, 9000, samples, np.int16)


def heard(graph, pcm):
    """Return mean |waveform|, first sample, last sample and length as the graph saw them."""
    return graph.run(pcm, IDS, MASK, CONFIDENCE).audio_embedding


def test_samples_arrive_as_fractions_of_full_scale(tmp_path):
    graph = load(tmp_path)
    pcm = noise(5000)
    pcm[0], pcm[-1] = -32768, 16384
    mean, first, last, length = heard(graph, pcm)
    assert (first, last, length) == (-1.0, 0.5, 5000)
    assert mean == pytest.approx(np.abs(pcm / 32768).mean(), rel=1e-5)


def test_of_longer_audio_the_last_seconds_count(tmp_path):
    graph = load(tmp_path, max_seconds=0.5)
    pcm = noise(20_000)
    np.testing.assert_array_equal(heard(graph, pcm), heard(graph, pcm[-8000:]))
    assert heard(graph, pcm)[3] == 8000
    assert heard(graph, pcm)[1] == pcm[-8000] / 32768


@pytest.mark.parametrize("samples", [0, 1, 160, MIN_SAMPLES - 1])
def test_very_short_audio_is_padded_and_keeps_its_length(tmp_path, samples):
    pcm = np.full(samples, 1000, np.int16)
    mean, _, last, length = heard(load(tmp_path), pcm)
    assert length == samples
    assert last == 0
    assert mean == pytest.approx(samples / MIN_SAMPLES * 1000 / 32768, rel=1e-4)


def test_the_caller_keeps_its_samples(tmp_path):
    pcm = noise(3000)
    before = pcm.copy()
    pcm.setflags(write=False)
    heard(load(tmp_path), pcm)
    np.testing.assert_array_equal(pcm, before)


def test_text_and_confidence_arrive_as_given(tmp_path):
    graph = load(tmp_path)
    output = graph.run(noise(3000), IDS, np.array([[1, 1, 0]]), CONFIDENCE)
    np.testing.assert_array_equal(output.text_embedding, [6, 2, 9, 1])
    # The weights of logits[0] on the confidence: logprob 0.3, no speech -0.7, ratio -0.2.
    without = graph.run(noise(3000), IDS, np.array([[1, 1, 0]]), np.zeros(4, np.float32))
    expected = 0.3 * -0.5 + -0.7 * 0.25 + -0.2 * 1.5
    assert output.logits[0] - without.logits[0] == pytest.approx(expected, abs=1e-5)


def test_two_utterances_a_run_are_refused(tmp_path):
    """Also where the graph would take them: beside a loud one the other scores otherwise."""
    graph = load(tmp_path)
    both = np.repeat(IDS, 2, axis=0)
    with pytest.raises(ValueError, match="takes one utterance a run; rows given: .*token_ids 2"):
        graph.run(noise(3000), both, np.ones_like(both), CONFIDENCE)


def test_runs_on_as_many_threads_as_asked(tmp_path):
    package = ModelPackage.load(write_package(tmp_path / "tiny"))
    for threads in (1, 2):
        graph = TurboGraph(package, threads=threads)
        options = graph._session.get_session_options()
        assert options.intra_op_num_threads == threads
        assert options.inter_op_num_threads == 1
        assert graph._session.get_providers() == ["CPUExecutionProvider"]


NOT_FITTING = {
    "renamed input": {"rename": {"waveform": "audio"}},
    "input of old name": {"rename": {"confidence": "asr"}},
    "one input more": {"extra_input": True},
    "renamed output": {"rename": {"audio_embedding": "audio"}},
    "three classes for two labels": {"classes": 3},
}


@pytest.mark.parametrize("change", NOT_FITTING.values(), ids=NOT_FITTING.keys())
def test_a_graph_that_does_not_fit_is_refused(tmp_path, change):
    with pytest.raises(PackageError, match="model.int8.onnx") as caught:
        load(tmp_path, graph=tiny_graph(**change))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a graph", tiny_graph()[:-40]])
def test_a_file_that_is_no_graph_is_refused(tmp_path, content):
    with pytest.raises(PackageError, match="model.int8.onnx") as caught:
        load(tmp_path, graph=content)
    assert "\n" not in str(caught.value)


def test_a_vocabulary_larger_than_the_graph_knows_is_refused(tmp_path):
    package = ModelPackage.load(write_package(tmp_path / "tiny", graph=tiny_graph(vocabulary=5)))
    TurboGraph(package, largest_token_id=4)
    with pytest.raises(PackageError, match="model.int8.onnx"):
        TurboGraph(package, largest_token_id=5)


def test_a_score_that_is_no_number_is_an_error_and_never_a_verdict(tmp_path):
    graph = load(tmp_path)
    with pytest.raises(TurboStreamError, match="no finite score"):
        graph.run(noise(3000), IDS, MASK, np.full(4, np.nan, np.float32))


def test_a_graph_of_nan_weights_is_refused_when_loaded(tmp_path):
    with pytest.raises(PackageError, match="no finite score"):
        load(tmp_path, graph=tiny_graph(nan=True))
