"""What nobody expected ends one client, is logged by kind and place, and quotes nobody."""

from dataclasses import replace

import httpx
import numpy as np
import pytest

from tests.support.served import closed_with, send, served, shared_models
from turbo_stream.deciding.turn_taking import TurnTaking
from turbo_stream.pipeline import Models
from turbo_stream.segmentation.segmenter import Segmenter

CANARY = "marmalade"


class Broken(Segmenter):
    def process(self, pcm):
        raise OSError(f"no place for {CANARY}")


def breaking(where: str) -> Models:
    models = shared_models()

    class Breaking(TurnTaking):
        def segmenter(self, vad, turbo):
            if where == "opening":
                raise OSError(f"no place for {CANARY}")
            return Broken(vad)

    return replace(models, turn_taking=Breaking(models.turn_taking.config))


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
