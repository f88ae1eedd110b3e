"""Requests that our own OpenAPI document describes, and such as it forbids, against a server."""

import warnings
from contextlib import suppress

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase

from tests.support.served import served, shared_models
from turbo_stream.serving.access import GateConfig
from turbo_stream.serving.limits import Limits

REQUESTS = 5
"""Requests to each operation, for one input."""

TOKEN = "0123456789abcdef"


@pytest.mark.slow
@pytest.mark.parametrize("token", [None, TOKEN], ids=["open", "with a token"])
def test_what_the_document_describes_is_answered_as_it_says(attack, token, caplog) -> None:
    with served(shared_models(), Limits(file_bytes=4096), GateConfig(token)) as server:
        document = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
        operations = [found.ok() for found in document.get_all_operations()]
        for chance in attack.inputs(at_least=2):
            for operation in operations:
                for mode in schemathesis.GenerationMode:
                    _ask(operation, mode, seed=int(chance.integers(2**32)), token=token)
    assert not caplog.records, caplog.text


def _ask(operation, mode, *, seed: int, token: str | None) -> None:
    checks = schemathesis.checks.CHECKS
    # A body that is bytes, as the document says, is no sound file for that.
    left_out = checks.get_by_names(["positive_data_acceptance"])
    headers = None if token is None else {"Authorization": f"Bearer {token}"}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=REQUESTS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def ask(case) -> None:
        response = case.call(headers=headers, timeout=20)
        # What is too long is refused before anybody looks into it.
        longer = checks.get_by_names(["negative_data_rejection"])
        left = left_out + longer if response.status_code == 413 else left_out
        case.validate_response(response, headers=headers, excluded_checks=left)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Of some operations there is nothing that the document forbids.
        with suppress(hypothesis.errors.Unsatisfiable):
            ask()
