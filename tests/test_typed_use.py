"""What users write type-checks, and what they easily give wrongly is told."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import KITCHEN, ROOT
from turbo_stream import InputError, Listener, LivePipeline, Pipeline, events_of

MORE = """
from turbo_stream import Decision, Event, Evidence, Utterance


def decided(event: Event) -> tuple[Decision, Evidence | None] | None:
    if event.kind == "utterance":
        return event.decision, event.evidence
    return None


def accepted(event: Event) -> str | None:
    return event.text if isinstance(event, Utterance) else None
"""


@pytest.mark.slow
def test_the_readme_and_a_handler_of_events_pass_a_strict_type_checker(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(snippet + MORE)
    bad.write_text(snippet.replace('== "utterance"', '== "finished"'))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", good, bad],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert "good.py" not in done.stdout, done.stdout
    assert 'bad.py:5: error: "Finished" has no attribute "decision"' in done.stdout


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.load(asr="none")


@pytest.mark.parametrize("source", [str(KITCHEN), KITCHEN, b"\0\0", np.zeros(4, np.int16)])
def test_a_path_or_sound_is_no_source(pipeline, source) -> None:
    said = r"open_source\('.*kitchen.flac'\)" if "kitchen" in str(source) else "`process`"
    for use in (
        lambda: next(pipeline.run(source)),
        lambda: events_of(pipeline, source),
        lambda: LivePipeline(pipeline, source),
        lambda: Listener(pipeline, source, print),
    ):
        with pytest.raises(InputError, match=said):
            use()


@pytest.mark.parametrize("pcm", [b"\0\0", [0, 1], memoryview(b"\0\0")])
def test_bytes_and_lists_are_no_samples(pipeline, pcm) -> None:
    with pytest.raises(InputError, match=rf"as {type(pcm).__name__}.*frombuffer"):
        pipeline.process(pcm)
    with pytest.raises(InputError, match="frombuffer"):
        pipeline.process(np.zeros(4, np.int16), pcm)
