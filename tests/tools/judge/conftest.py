import pytest

pytest.importorskip("scipy", reason="judging needs the train extra")
pytest.importorskip("onnx", reason="the tiny package is made with onnx")
