"""docs/guide/serve.md holds what the server does."""

import asyncio
import re

import click

from tests.support.fakes import LoudnessDetector
from tests.support.paths import ROOT
from tests.support.served import served, shared_models
from turbo_stream.cli.serve import serve
from turbo_stream.serving._metrics import Metrics
from turbo_stream.serving.limits import Limits

PAGE = (ROOT / "docs" / "guide" / "serve.md").read_text("utf-8")


def test_the_client_in_it_works(excerpt, capsys) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict = {}
    with served(shared_models(detector=LoudnessDetector(always=0.9))) as server:
        exec(code.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}"), names)
        asyncio.run(names["main"](excerpt))
    assert capsys.readouterr().out.splitlines() == ["turn on the lights"] * 3


def test_its_options_and_their_defaults_are_the_commands() -> None:
    options = {name: option for option in serve.params for name in option.opts}
    for name in set(re.findall(r"`(--[a-z-]+)", PAGE)) - {"--jsonl", "--data-binary"}:
        assert name in options, name
    rows = re.findall(r"^\| `(--[a-z-]+) [A-Z]+` \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert len(rows) >= 7
    for name, text in rows:
        option = options[name]
        assert isinstance(option, click.Option)
        found = re.match(r"[0-9.]+", text.replace(" MiB", " MiB"))
        given = float(found[0]) * (2**20 if "MiB" in text else 1) if found else None
        assert option.default == given or text.startswith("none"), name
    assert Limits().file_bytes == 32 * 2**20


def test_its_metrics_are_the_servers() -> None:
    metrics = Metrics()
    page = metrics.page().decode()
    for name in re.findall(r"`(turbo_[a-z_]+)`", PAGE):
        assert name in page, name
