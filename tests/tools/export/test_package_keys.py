"""What a package says of how its network is told names."""

import json

import pytest

pytest.importorskip("torch", reason="needs the train extra (torch)")

from tests.support.tiny_package import MARKED_WORDS, manifest, tiny_graph, tiny_tokenizer
from tools.export.package import write_package
from turbo_stream.detection.package import ModelPackage

pytestmark = pytest.mark.training


@pytest.mark.parametrize(
    ("given", "written"),
    [({}, None), ({"text_input": "names"}, None), ({"text_input": "marked"}, "marked")],
)
def test_marks_are_named_and_older_networks_say_nothing(tmp_path, given, written) -> None:
    graph, tokenizer = tmp_path / "graph.onnx", tmp_path / "tokens.json"
    graph.write_bytes(tiny_graph(vocabulary=len(MARKED_WORDS)))
    tokenizer.write_text(tiny_tokenizer(MARKED_WORDS))
    known = manifest()
    keys = ("labels", "sample_rate", "max_seconds", "max_tokens")
    write_package(
        tmp_path / "package",
        name="tiny",
        version="1",
        language="en",
        graph=graph,
        tokenizer=tokenizer,
        card="# tiny\n",
        config={key: known[key] for key in keys} | {"audio": "compact"} | given,
        metrics={key: known[key] for key in ("operating_points", "calibration")}
        | {"development": {}},
        training={},
        parity={},
        reports={},
    )
    found = json.loads((tmp_path / "package" / "turbo.json").read_text())
    assert found.get("text_input") == written
    assert ModelPackage.load(tmp_path / "package").marked == (written == "marked")
