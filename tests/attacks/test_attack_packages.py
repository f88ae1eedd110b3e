"""Damaged and made-up packages: each gives probabilities or one clean error, and reads no other."""

import json
import math
import shutil
import time

import numpy as np
import pytest

from tests.attacks.mutations import mutated
from tests.attacks.nonsense import HOSTILE_TEXTS, with_nonsense, written
from tests.support.tiny_package import write_package
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import GRAPH_NAME, MANIFEST_NAME, ModelPackage, file_hash
from turbo_stream.errors import PackageError, TurboStreamError
from turbo_stream.recognition.recognizer import Confidence, Transcript

onnx = pytest.importorskip("onnx", reason="needs the test extra")

LONGEST_S = 10
PCM = np.random.default_rng(0).integers(-9_000, 9_000, 8_000).astype(np.int16)
HEARD = Transcript("turn on the light", Confidence(-0.3, 0.1))
LISTED = (GRAPH_NAME, "tokenizer.json", "README.md")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("whole") / "package")


@pytest.fixture
def folder(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "package")
    return tmp_path / "package"


def tried(folder):
    """Load the package and classify with it; None where it is refused as it should be."""
    begun_s = time.monotonic()
    try:
        package = ModelPackage.load(folder)
        found = TurboClassifier(package).probabilities(PCM, HEARD, ("friday",))
    except TurboStreamError as error:
        known = "no finite score" in str(error) or "failed on an utterance" in str(error)
        assert isinstance(error, PackageError) or known, error
        assert str(error).isprintable() and len(str(error)) < 1_000, error
        return None
    finally:
        assert time.monotonic() - begun_s < LONGEST_S
    assert set(found) == set(package.labels)
    assert math.isclose(sum(found.values()), 1, abs_tol=1e-6)
    assert all(0 <= value <= 1 for value in found.values())
    json.dumps([package.training, package.metrics, package.labels], allow_nan=False)
    return package


def list_again(folder):
    """Write the hashes of the files as they are now."""
    path = folder / MANIFEST_NAME
    values = json.loads(path.read_text())
    values["files"] = {name: file_hash(folder / name) for name in values["files"]}
    path.write_text(json.dumps(values))


def test_a_changed_file_is_refused(attack, whole, folder):
    for chance in attack.inputs(at_least=100):
        name = str(chance.choice(LISTED))
        content = (whole / name).read_bytes()
        _, other = mutated({name: content}, chance)
        (folder / name).write_bytes(other)
        if other != content:
            with pytest.raises(PackageError, match="is damaged or was changed"):
                ModelPackage.load(folder)
        (folder / name).write_bytes(content)
    ModelPackage.load(folder)


def test_a_manifest_of_any_content_is_read_or_refused(attack, whole, folder, capfd):
    content = (whole / MANIFEST_NAME).read_bytes()
    values = json.loads(content) | {
        "follow_up": {"log_odds": 1.0, "decay_s": 10.0},
        "sound_reject": 0.01,
        "end_of_turn": {"threshold": 0.5},
    }
    for chance in attack.inputs(at_least=200):
        if chance.random() < 0.3:
            _, other = mutated({MANIFEST_NAME: content}, chance)
        else:
            other = written(with_nonsense(values, chance), chance)
        (folder / MANIFEST_NAME).write_bytes(other)
        tried(folder)
    assert capfd.readouterr().err == ""


def test_a_tokenizer_of_any_content_is_read_or_refused(attack, whole, folder, capfd):
    content = (whole / "tokenizer.json").read_bytes()
    for chance in attack.inputs(at_least=200):
        if chance.random() < 0.3:
            _, other = mutated({"tokenizer.json": content}, chance)
        else:
            other = written(with_nonsense(json.loads(content), chance), chance)
        (folder / "tokenizer.json").write_bytes(other)
        list_again(folder)
        tried(folder)
        told = capfd.readouterr().err
        assert told == "", told


def test_a_damaged_graph_is_read_or_refused(attack, whole, folder):
    content = (whole / GRAPH_NAME).read_bytes()
    for chance in attack.inputs(at_least=100):
        _, other = mutated({GRAPH_NAME: content}, chance)
        (folder / GRAPH_NAME).write_bytes(other)
        list_again(folder)
        tried(folder)


def hostile_location(folder, chance):
    """A way to name a file of the folder, or another."""
    parts = [".", "..", ".cache", "__pycache__", "deep", "w", ".w", "listed.bin", "README.md", ""]
    parts += [str(folder), folder.name, *HOSTILE_TEXTS[:20]]
    chosen = [str(parts[chance.integers(len(parts))]) for _ in range(chance.integers(1, 4))]
    return str(chance.choice(["/", "/", "\\", ""])).join(chosen)


def attached(graph, folder, chance):
    """Move a tensor of `graph` into files, named in a hostile way."""
    model = onnx.load_from_string(graph)
    tensors = model.graph.initializer
    table = tensors[chance.integers(2)]  # "mix" and "table"; the others are shapes
    data = table.raw_data
    for place in (".w", "listed.bin", ".cache/w", "__pycache__/w", "deep/.w", "../w"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes(data)
    table.ClearField("raw_data")
    if chance.random() < 0.9:
        table.data_location = onnx.TensorProto.EXTERNAL
    for _ in range(chance.integers(1, 3)):
        listed = chance.random() < 0.4
        location = "listed.bin" if listed else hostile_location(folder, chance)
        entry = table.external_data.add(key="location")
        entry.value = location.encode("utf-8", "replace").decode()
    if chance.random() < 0.3:
        table.external_data.add(key="offset", value=str(chance.choice(["0", "4", "-1", "1e9"])))
    if chance.random() < 0.3:
        node = model.graph.node.add(op_type="Constant", output=[table.name])
        node.attribute.append(onnx.helper.make_attribute("value", table))
        tensors.remove(table)
        model.graph.node.insert(0, node)
        del model.graph.node[-1]
    return model.SerializeToString()


def read_elsewhere(graph):
    """The files that the `onnx` library finds named in `graph`."""
    model = onnx.load_from_string(graph)
    tensors = list(model.graph.initializer)
    tensors += [one.t for node in model.graph.node for one in node.attribute if one.HasField("t")]
    return {
        entry.value
        for one in tensors
        if one.data_location == onnx.TensorProto.EXTERNAL
        for entry in one.external_data
        if entry.key == "location"
    }


def test_weights_come_from_listed_files_only(attack, whole, folder):
    content, loaded = (whole / GRAPH_NAME).read_bytes(), 0
    (folder / "listed.bin").write_bytes(b"")
    values = json.loads((folder / MANIFEST_NAME).read_text())
    values["files"]["listed.bin"] = ""
    (folder / MANIFEST_NAME).write_text(json.dumps(values))
    for chance in attack.inputs(at_least=300):
        other = attached(content, folder, chance)
        if chance.random() < 0.3:
            _, other = mutated({GRAPH_NAME: other}, chance)
        (folder / GRAPH_NAME).write_bytes(other)
        list_again(folder)
        package = tried(folder)
        if package is not None:
            names = read_elsewhere(other)
            assert names <= {"listed.bin"}, names
            loaded += bool(names)
        shutil.rmtree(folder / "deep", ignore_errors=True)
    assert loaded
