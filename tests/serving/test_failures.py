"""What nobody expected ends one client, is logged by kind and place, and quotes nobody."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests.support.served import closed_with, send, served, shared_pipeline
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import load_vad

CANARY = "marmalade"


def breaking(where: str):
    pipeline = shared_pipeline()

    class Broken(Segmenter):
        def process(self, pcm):
            raise OSError(f"no place for {CANARY}")

    def new_segmenter() -> Segmenter:
        if where == "opening":
            raise OSError(f"no place for {CANARY}")
        return Broken(load_vad("webrtc"))

    pipeline._new_segmenter = new_segmenter
    return pipeline


@pytest.mark.parametrize("where", ["opening", "hearing"])
def test_a_stream(where: str, caplog: pytest.LogCaptureFixture) -> None:
    with served(breaking(where)) as server:
        with server.connect() as client:
            send(client, np.zeros(1600, np.int16), end=False)
            code, reason = closed_with(client)
        assert (code, reason) == (1011, "the stream failed on the server; see its log")
        assert server.hub.counts.open_streams == 0
    assert "OSError at " in caplog.text and CANARY not in caplog.text


def test_a_request(caplog: pytest.LogCaptureFixture) -> None:
    with served(breaking("opening")) as server:
        answer = httpx.post(f"{server.url}/v1/classify", content=b"RIFF")
    assert answer.status_code == 500 and answer.json()["error"].endswith("see its log")
    assert "OSError at " in caplog.text and CANARY not in caplog.text
