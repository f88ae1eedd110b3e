"""docs/reference says what the code does: the pages made from it, and those written by hand."""

import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

import turbo_stream
from tests.support.paths import KITCHEN, ROOT
from tools.reference.__main__ import FOLDER, stale_pages
from tools.reference.api import markdown
from tools.reference.commands import programs, with_subcommands
from turbo_stream import Settings
from turbo_stream.events import BaseEvent


def test_the_pages_made_from_the_code_are_up_to_date() -> None:
    stale = [path.name for path in stale_pages()]
    assert not stale, "renew docs/reference with: python -m tools.reference"


def section(page: str, heading: str) -> str:
    """Return what stands below a heading of a page, up to the next one."""
    text = (FOLDER / page).read_text("utf-8")
    return re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def own_options(command: click.Command) -> Iterator[str]:
    for one in command.params:
        if isinstance(one, click.Option):
            yield from (*one.opts, *one.secondary_opts)


def test_every_command_and_option_is_there() -> None:
    settings = (FOLDER / "settings.md").read_text("utf-8")
    for program, found in programs().items():
        for name, command in with_subcommands(program, found):
            told = section("commands.md", name)
            assert inspect.cleandoc(command.help or "") in told
            for option in set(own_options(command)) - {"--version"}:
                assert f"`{option}" in told or f"`{option}" in settings, f"{name} {option}"


def test_every_option_has_a_help() -> None:
    missing = [
        f"{name} {one.name}"
        for program, found in programs().items()
        for name, command in with_subcommands(program, found)
        for one in command.params
        if isinstance(one, click.Option) and not one.help
    ]
    assert not missing


def test_every_setting_is_there() -> None:
    settings = (FOLDER / "settings.md").read_text("utf-8")
    for field in fields(Settings):
        flag = (field.metadata["option"].flag or field.name).replace("_", "-")
        assert f"| `--{flag}` | `{flag}` | `{field.name}` |" in settings


def test_every_public_name_is_there_with_its_docstring() -> None:
    for name in set(turbo_stream.__all__) - {"__version__"}:
        told = section("api.md", name)
        found = getattr(turbo_stream, name)
        doc = found.__doc__ if inspect.isclass(found) or inspect.isfunction(found) else None
        assert markdown(doc or "") in told, name


def rows(page: str, head: str) -> dict[str, str]:
    """Return the rows of the table that begins with this head, by the names in the first cell."""
    lines = (FOLDER / page).read_text("utf-8").split(f"{head} |", 1)[1].split("\n\n")[0]
    cells = [line.split(" | ", 1) for line in lines.splitlines() if line.startswith("| `")]
    return {name: first + rest for first, rest in cells for name in re.findall("`([^`]+)`", first)}


def events() -> dict[str, type[BaseEvent]]:
    return {
        found.kind: found
        for name in turbo_stream.__all__
        if inspect.isclass(found := getattr(turbo_stream, name)) and issubclass(found, BaseEvent)
    }


def test_events_have_their_fields() -> None:
    told = rows("events.md", "| `event`")
    assert set(told) == set(events())
    for kind, found in events().items():
        for field in fields(found):
            assert f"`{field.name}`" in told[kind], f"{kind}: {field.name}"


@pytest.mark.slow
def test_figures_have_their_keys(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from turbo_stream.evaluation.run import evaluate
    from turbo_stream.evaluation.scoring.settings import ScoringSettings

    segments = json.loads(KITCHEN.with_suffix(".json").read_text("utf-8"))["segments"]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text(json.dumps({"audio_filepath": str(KITCHEN), "segments": segments}), "utf-8")
    metrics = evaluate(manifest, tmp_path / "out", ScoringSettings(asr="none", mode="stream"))

    page = (FOLDER / "metrics.md").read_text("utf-8")
    told, told_of_stream = rows("metrics.md", "| key"), rows("metrics.md", "| key of `stream`")
    assert set(told) <= set(metrics) and set(told_of_stream) <= set(metrics["stream"])
    named = set(re.findall(r"`(\w+)`", page))
    assert not sorted({*metrics, *metrics["stream"]} - named)


def test_the_package_has_the_keys_and_inputs_of_its_page() -> None:
    import onnxruntime

    path = ROOT / "turbo_stream" / "assets" / "turbo-rej-en"
    keys = json.loads((path / "turbo.json").read_text("utf-8"))
    assert not set(keys) - set(re.findall(r"`(\w+)`", rows("package.md", "| file")["turbo.json"]))
    session = onnxruntime.InferenceSession(path / "model.int8.onnx")
    assert {one.name for one in session.get_inputs()} <= set(rows("package.md", "| input"))
