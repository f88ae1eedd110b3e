import pytest

pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")

from tools.smoke import run_smoke

pytestmark = pytest.mark.slow


def test_the_whole_way_from_data_to_package(tmp_path):
    seen = run_smoke(tmp_path / "smoke")
    assert seen["overfitted_to"] < 0.1
    assert seen["test_accuracy"] >= 0.9
    assert seen["package_accuracy"] >= 0.9
    assert 0 < seen["resumed_from_step"] < 120
