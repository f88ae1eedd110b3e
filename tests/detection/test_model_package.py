import json
import math
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tiny_package import manifest, write_package
from turbo_stream.detection.package import ModelPackage, file_hash
from turbo_stream.errors import InputError, PackageError

FILES = ("model.int8.onnx", "tokenizer.json", "README.md")


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
