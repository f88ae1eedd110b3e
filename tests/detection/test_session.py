import numpy as np
import pytest

from turbo_stream._util import onnx_session as session
from turbo_stream._util.onnx_session import int8_saturates, session_options


@pytest.fixture(autouse=True)
def asked_anew():
    int8_saturates.cache_clear()
    yield
    int8_saturates.cache_clear()


@pytest.mark.parametrize("largest, answer", [(129_540, False), (65_534, True)])
def test_a_clipped_sum_is_seen(monkeypatch, largest, answer):
    class Session:
        def __init__(self, *_, **__):
            pass

        def run(self, _, inputs):
            assert (inputs["row"] == 255).all()
            return (np.full((1, 4), largest, np.int32),)

    monkeypatch.setattr("onnxruntime.InferenceSession", Session)
    assert int8_saturates() is answer


def test_the_probe_gives_one_of_two_sums_on_any_cpu():
    import base64

    import onnxruntime

    graph = onnxruntime.InferenceSession(base64.b64decode(session._PROBE))
    (sums,) = graph.run(None, {"row": np.full((1, 4), 255, np.uint8)})
    assert set(sums.ravel().tolist()) in ({4 * 255 * 127}, {2 * (2**15 - 1)})


def test_exact_products_are_asked_for_where_they_saturate(monkeypatch):
    monkeypatch.setattr(session, "int8_saturates", lambda: True)
    options = session_options(2)
    assert options.intra_op_num_threads == 2
    assert options.get_session_config_entry("session.x64quantprecision") == "1"


def test_exact_products_are_not_asked_for_where_all_are(monkeypatch):
    monkeypatch.setattr(session, "int8_saturates", lambda: False)
    with pytest.raises(RuntimeError, match="x64quantprecision"):
        session_options(1).get_session_config_entry("session.x64quantprecision")
