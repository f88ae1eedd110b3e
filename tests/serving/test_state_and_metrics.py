"""Health, readiness and metrics: numbers, and not a word of anybody."""

import re

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.served import closed_with, served, shared_models

CANARY = "xylophone marmalade quartz"
OWN_WORDS = re.compile(r"[a-z_]+|[0-9.e+]+|\+Inf|[0-9.]+")


def test_a_server_that_loads_lives_and_is_not_ready() -> None:
    with served(None) as server:
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "alive", "muted": False}
        loading = httpx.get(f"{server.url}/readyz")
        assert (loading.status_code, loading.json()) == (503, {"status": "loading"})
        server.hub.load(shared_models())
        ready = httpx.get(f"{server.url}/readyz")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
        server.hub.state = "draining"
        draining = httpx.get(f"{server.url}/readyz")
        assert (draining.status_code, draining.json()) == (503, {"status": "draining"})


@pytest.mark.slow
def test_metrics_count_and_name_nobody(excerpt) -> None:
    pipeline = shared_models(ScriptedRecognizer(CANARY), LoudnessDetector(always=0.4))
    with served(pipeline) as server:
        server.hear(excerpt)
        server.hear(excerpt, "?threshold=0.3")
        with server.connect() as client:
            client.send('{"type":"xylophone"}')
            closed_with(client)
        answer = httpx.get(f"{server.url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}

    def value(name: str, **labels: str) -> float:
        samples = [s for family in families.values() for s in family.samples]
        (found,) = [s.value for s in samples if s.name == name and s.labels == labels]
        return found

    assert value("turbo_utterances_total", decision="rejected") == 3
    assert value("turbo_utterances_total", decision="accepted") == 3
    assert value("turbo_streams_total", transport="websocket") == 3
    assert value("turbo_open_streams", transport="websocket") == 0
    assert value("turbo_audio_seconds_total") == 24
    assert value("turbo_received_bytes_total", transport="websocket") == 4 * len(excerpt)
    assert value("turbo_decision_seconds_count") == 6
    assert value("turbo_turned_away_total", reason="unknown_message") == 1
    for word in CANARY.split():
        assert word not in answer.text
    for family in families.values():
        for sample in family.samples:
            assert all(OWN_WORDS.fullmatch(text) for text in sample.labels.values()), sample


def test_counts_are_there_for_other_services(excerpt) -> None:
    seen = []
    with served(shared_models()) as server:
        with server.hub.watch(lambda stream, transport, event: seen.append((stream, event.kind))):
            server.hear(excerpt)
        server.hear(excerpt[:1600])
        counts = server.hub.counts
    assert counts.streams == 2 and counts.open_streams == 0
    assert sum(counts.decisions.values()) == 3 and counts.audio_s == 12.1
    assert {stream for stream, _ in seen} == {0}
    assert [kind for _, kind in seen if kind == "utterance"] == ["utterance"] * 3
