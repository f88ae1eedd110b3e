import json
import math
import os
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tiny_package import manifest, tiny_graph, write_package
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage, file_hash
from turbo_stream.errors import InputError, PackageError

GRAPH = "model.int8.onnx"
FILES = (GRAPH, "tokenizer.json", "README.md")


def rewrite(folder, change):
    """Apply `change` to the manifest's values in place."""
    path = folder / "turbo.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def refusal(folder):
    """Return the message with which `folder` is refused; it must be one line, exit code 2."""
    with pytest.raises(PackageError) as caught:
        ModelPackage.load(folder)
    assert caught.value.exit_code == 2
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_reads_what_the_manifest_says(tiny, tiny_folder):
    assert (tiny.name, tiny.version, tiny.language) == ("tiny", "1.0", "en")
    assert tiny.labels == ("not_directed", "directed")
    assert tiny.directed_index == 1
    assert (tiny.max_seconds, tiny.max_samples, tiny.max_tokens) == (15.0, 240_000, 16)
    assert (tiny.calibration.scale, tiny.calibration.bias) == (1.5, (0.1, -0.2))
    assert tiny.path("tokenizer.json") == tiny_folder / "tokenizer.json"
    assert set(tiny.files) == set(FILES)


def test_rejecting_by_sound_alone_is_off_unless_the_package_says_so(tiny, tiny_folder):
    assert tiny.sound_reject == 0.0
    rewrite(tiny_folder, lambda values: values.update(sound_reject=0.04))
    assert ModelPackage.load(tiny_folder).sound_reject == 0.04


def test_file_hash_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_hash(tmp_path / "abc") == expected


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_refused_by_name(tiny_folder, name):
    data = bytearray((tiny_folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (tiny_folder / name).write_bytes(data)
    message = refusal(tiny_folder)
    assert name in message
    assert "SHA-256" in message


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(tiny_folder, name):
    (tiny_folder / name).unlink()
    assert name in refusal(tiny_folder)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file_is_refused_by_name(tiny_folder, name):
    (tiny_folder / name).unlink()
    (tiny_folder / name).mkdir()
    assert name in refusal(tiny_folder)


@pytest.mark.parametrize("name", ["model.fp32.onnx", "weights.data", "onnx/model.onnx"])
def test_a_file_that_is_not_listed_is_refused_by_name(tiny_folder, name):
    (tiny_folder / name).parent.mkdir(exist_ok=True)
    (tiny_folder / name).write_bytes(b"?")
    assert name in refusal(tiny_folder)


@pytest.mark.parametrize("name", FILES[:2])
def test_what_is_loaded_must_be_listed(tiny_folder, name):
    rewrite(tiny_folder, lambda values: values["files"].pop(name))
    assert name in refusal(tiny_folder)


def test_hidden_files_of_a_hub_download_do_no_harm(tiny_folder):
    (tiny_folder / ".cache" / "huggingface").mkdir(parents=True)
    (tiny_folder / ".cache" / "huggingface" / "a.metadata").write_text("x")
    (tiny_folder / ".gitattributes").write_text("x")
    ModelPackage.load(tiny_folder)


def graph_with_weights_in(folder, location):
    """Return the tiny graph whose table stands in the file `location` of `folder`; write both."""
    import onnx
    from onnx.external_data_helper import set_external_data

    model = onnx.load_from_string(tiny_graph())
    table = next(one for one in model.graph.initializer if one.name == "table")
    path = folder / location
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(table.raw_data)
    set_external_data(table, location)
    table.ClearField("raw_data")
    return model


def listed(folder, *names):
    """List `names` with their hashes."""
    hashes = {name: file_hash(folder / name) for name in names}
    rewrite(folder, lambda values: values["files"].update(hashes))


@pytest.mark.parametrize(
    "location",
    [".cache/w", ".w", "__pycache__/w", "./w", "../w", "a/../w", "{folder}/w", "", "w\0", "w "],
)
@pytest.mark.parametrize("listing", [(), ("w",)])
def test_weights_outside_the_listed_files_are_refused(tiny_folder, location, listing):
    model = graph_with_weights_in(tiny_folder, "w")
    (tiny_folder / "__pycache__").mkdir()
    for place in (".w", "../w", "__pycache__/w"):
        (tiny_folder / place).write_bytes((tiny_folder / "w").read_bytes())
    table = next(one for one in model.graph.initializer if one.name == "table")
    table.external_data[0].value = location.format(folder=tiny_folder)
    (tiny_folder / GRAPH).write_bytes(model.SerializeToString())
    if not listing:
        (tiny_folder / "w").unlink()
    listed(tiny_folder, GRAPH, *listing)
    assert "does not list with its hash" in refusal(tiny_folder)


def test_weights_in_a_hidden_file_are_refused_though_it_is_listed(tiny_folder):
    model = graph_with_weights_in(tiny_folder, ".cache/w")
    (tiny_folder / GRAPH).write_bytes(model.SerializeToString())
    listed(tiny_folder, GRAPH, ".cache/w")
    assert "'.cache/w'" in refusal(tiny_folder)


def test_a_name_of_weights_that_is_no_utf8_is_not_taken_for_a_listed_one(tiny_folder):
    listed_name = "__pycache__/w\ufffd\ufffd"
    model = graph_with_weights_in(tiny_folder, listed_name)
    table = next(one for one in model.graph.initializer if one.name == "table")
    table.external_data[0].value = "__pycache__/w\xff"
    graph = model.SerializeToString().replace("\xff".encode(), b"\xff\xfe")
    (tiny_folder / GRAPH).write_bytes(graph)
    listed(tiny_folder, GRAPH, listed_name)
    assert r"'__pycache__/w\xff\xfe'" in refusal(tiny_folder)


@pytest.mark.parametrize("place", ["constant", "branch", "sparse"])
def test_weights_are_found_wherever_in_a_graph_they_stand(tiny_folder, place):
    import onnx
    from onnx import helper

    model = graph_with_weights_in(tiny_folder, ".w")
    table = next(one for one in model.graph.initializer if one.name == "table")
    model.graph.initializer.remove(table)
    if place == "constant":
        node = helper.make_node("Constant", [], ["table"], value=table)
    elif place == "branch":
        output = helper.make_tensor_value_info("t", onnx.TensorProto.FLOAT, None)
        inner = helper.make_graph([], "inner", [], [output], [table])
        node = helper.make_node("If", ["one"], ["table"], then_branch=inner, else_branch=inner)
    else:
        node = helper.make_node("Constant", [], ["table"])
        sparse = onnx.SparseTensorProto(values=table, dims=[1])
        node.attribute.append(helper.make_attribute("sparse_value", sparse))
    model.graph.node.insert(0, node)
    (tiny_folder / GRAPH).write_bytes(model.SerializeToString())
    listed(tiny_folder, GRAPH)
    assert "'.w'" in refusal(tiny_folder)


def test_weights_in_a_listed_file_are_read(tiny_folder):
    model = graph_with_weights_in(tiny_folder, "weights.bin")
    (tiny_folder / GRAPH).write_bytes(model.SerializeToString())
    listed(tiny_folder, GRAPH, "weights.bin")
    TurboClassifier(ModelPackage.load(tiny_folder))
    (tiny_folder / "weights.bin").write_bytes(b"\0\0\0\0")
    assert "weights.bin" in refusal(tiny_folder)


def test_a_graph_that_is_no_graph_is_refused(tiny_folder):
    whole = (tiny_folder / GRAPH).read_bytes()
    for content in (b"\x0f", b"\xff" * 40, whole[:-3], b"\x3a" + whole):
        (tiny_folder / GRAPH).write_bytes(content)
        listed(tiny_folder, GRAPH)
        assert "is no ONNX graph" in refusal(tiny_folder)


@pytest.mark.parametrize("name", ["turbo.json", *FILES])
def test_a_pipe_or_a_device_in_place_of_a_file_is_refused_at_once(tiny_folder, name):
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        (tiny_folder / name).unlink()
        make(tiny_folder / name)
        assert "no regular file" in refusal(tiny_folder)


def test_a_manifest_too_large_or_too_deep_is_refused(tiny_folder):
    rewrite(tiny_folder, lambda values: values.update(metrics=json.loads("[" * 60 + "]" * 60)))
    assert "deep" in refusal(tiny_folder)
    with (tiny_folder / "turbo.json").open("r+b") as file:
        file.truncate(2**34)
    assert "more than" in refusal(tiny_folder)


def test_a_hub_cache_of_links_loads(tiny_folder, tmp_path):
    blobs, linked = tmp_path / "blobs", tmp_path / "snapshot"
    shutil.copytree(tiny_folder, blobs)
    linked.mkdir()
    for path in blobs.iterdir():
        (linked / path.name).symlink_to(path)
    assert ModelPackage.load(linked).name == "tiny"


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/hostname", "a/../../b", "..", "a\\b", "C:x", "", "turbo.json"]
)
def test_a_name_that_leaves_the_folder_is_refused(tiny_folder, name):
    rewrite(tiny_folder, lambda values: values["files"].update({name: "0" * 64}))
    assert "turbo.json" in refusal(tiny_folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe\x00", b"[" * 9999])
def test_a_manifest_that_is_no_json_object_is_refused(tiny_folder, content):
    (tiny_folder / "turbo.json").write_bytes(content)
    assert "turbo.json" in refusal(tiny_folder)


def test_no_package_at_all_says_what_to_give(tmp_path):
    assert "turbo.json" in refusal(tmp_path)
    assert "turbo.json" in refusal(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "turbo.json" in refusal(tmp_path / "file")


@pytest.mark.parametrize("key", [*manifest(), "files"])
def test_a_missing_key_is_named(tiny_folder, key):
    rewrite(tiny_folder, lambda values: values.pop(key))
    assert repr(key) in refusal(tiny_folder)


def test_a_later_format_says_update(tiny_folder):
    rewrite(tiny_folder, lambda values: values.update(format=2))
    message = refusal(tiny_folder)
    assert "format 2" in message
    assert "update" in message


BAD_VALUES = [
    ("format", "1"),
    ("format", True),
    ("format", 0),
    ("name", ""),
    ("name", 7),
    ("version", 1.0),
    ("language", None),
    ("labels", "directed"),
    ("labels", ["directed"]),
    ("labels", ["directed", "directed"]),
    ("labels", ["directed", 3]),
    ("sample_rate", 8000),
    ("sample_rate", 16000.0),
    ("max_seconds", 0),
    ("max_seconds", math.inf),
    ("max_seconds", math.nan),
    ("max_seconds", 10**400),
    ("max_seconds", True),
    ("max_tokens", 2),
    ("max_tokens", 16.5),
    ("max_tokens", 10**30),
    ("max_tokens", 65_537),
    ("max_seconds", 1e300),
    ("format", 10**30),
    ("sample_rate", 10**30),
    ("name", "two\nlines"),
    ("name", "x" * 1000),
    ("name", "\ud800"),
    ("version", "1\x1b[2J"),
    ("labels", ["not_directed", "directed\n"]),
    ("labels", [f"label {i}" for i in range(1001)]),
    ("calibration", {"method": "affine", "scale": 1e308, "bias": [0, 0]}),
    ("calibration", {"method": "affine", "scale": 1, "bias": [1e300, -1e300]}),
    ("operating_points", {"two\nlines": {"threshold": 1, "false_accept": 1, "false_reject": 1}}),
    ("follow_up", {"log_odds": 1e308, "decay_s": 10.0}),
    ("follow_up", {"log_odds": 1.0, "decay_s": 1e308}),
    ("follow_up", {"log_odds": 10**400, "decay_s": 1}),
    ("end_of_turn", {"threshold": 10**400}),
    ("training", {"hours": math.nan}),
    ("metrics", {"deep": [{"er": [math.inf]}]}),
    ("metrics", 0),
    ("files", {"README.md": "0" * 64, "\ud800": "0" * 64}),
    ("files", {"x" * 10_000: "0" * 64}),
    ("threshold", 1.5),
    ("threshold", "0.5"),
    ("threshold", 0.6),
    ("operating_points", []),
    ("operating_points", {"balanced": 0.5}),
    ("operating_points", {"balanced": {"threshold": 0.5, "false_accept": 2, "false_reject": 0}}),
    ("operating_points", {"balanced": {"threshold": 0.5, "false_accept": 0.1}}),
    ("calibration", {"method": "isotonic", "scale": 1, "bias": [0, 0]}),
    ("calibration", {"method": "affine", "scale": 0, "bias": [0, 0]}),
    ("calibration", {"method": "affine", "scale": -1, "bias": [0, 0]}),
    ("calibration", {"method": "affine", "scale": 1, "bias": [0]}),
    ("calibration", {"method": "affine", "scale": 1, "bias": [0, math.nan]}),
    ("calibration", {"method": "affine", "scale": 1, "bias": 0}),
    ("training", "much"),
    ("metrics", None),
    ("files", ["model.int8.onnx"]),
    ("files", {"model.int8.onnx": "abc"}),
    ("files", {"model.int8.onnx": 3}),
    ("sound_reject", "0.1"),
    ("sound_reject", -0.1),
    ("sound_reject", 1),
]


@pytest.mark.parametrize(("key", "value"), BAD_VALUES)
def test_a_wrong_value_is_refused_naming_its_key(tiny_folder, key, value):
    rewrite(tiny_folder, lambda values: values.update({key: value}))
    message = refusal(tiny_folder)
    assert key in message
    assert "turbo.json" in message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from([*manifest(), "files"]), value=json_values)
def test_any_json_in_any_key_loads_or_is_refused(tiny_folder, key, value):
    good = (tiny_folder / "turbo.json").read_text()
    try:
        rewrite(tiny_folder, lambda values: values.update({key: value}))
        try:
            ModelPackage.load(tiny_folder)
        except PackageError as error:
            assert "\n" not in str(error)
    finally:
        (tiny_folder / "turbo.json").write_text(good)


def test_operating_points_by_name(tiny):
    assert tiny.threshold() == 0.5
    assert tiny.threshold("balanced") == 0.5
    assert tiny.threshold("strict") == 0.9
    assert tiny.operating_points["strict"].false_reject is None
    with pytest.raises(InputError, match="'loose'.*balanced, strict"):
        tiny.threshold("loose")


def test_the_default_threshold_is_that_of_balanced(tiny_folder):
    rewrite(tiny_folder, lambda values: values["operating_points"].pop("balanced"))
    message = refusal(tiny_folder)
    assert "'threshold'" in message
    assert "'balanced'" in message


def test_another_label_set_loads_but_cannot_listen(tmp_path):
    folder = write_package(
        tmp_path / "emotion", labels=["calm", "angry"], threshold=None, operating_points={}
    )
    package = ModelPackage.load(folder)
    assert package.default_threshold is None
    with pytest.raises(PackageError, match="calm, angry.*'directed'"):
        _ = package.directed_index
    with pytest.raises(PackageError, match="'directed'"):
        package.threshold()
