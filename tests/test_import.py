"""Importing is cheap, and the edge runtime needs no training library."""

import ast
import subprocess
import sys

from tests.support.paths import KITCHEN, ROOT

HEAVY = {"torch", "torchaudio", "transformers", "onnxruntime", "faster_whisper", "ctranslate2"}
TRAINING = {"torch", "torchaudio", "transformers", "lightning", "models", "training", "tools"}


def test_importing_loads_nothing_heavy() -> None:
    code = "import turbo_stream, sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & (HEAVY | {"sounddevice", "soundfile", "soxr", "av", "pocketsphinx"})


def test_listening_loads_no_training_library() -> None:
    code = f"""
import sys
from turbo_stream import Pipeline, open_source
pipeline = Pipeline.load(asr={str(ROOT / "tests" / "assets" / "whisper-kitchen")!r})
source = open_source({str(KITCHEN)!r})
print(next(e.text for e in pipeline.run(source) if e.kind == "utterance"))
print(*sys.modules, sep="\\n")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, *modules = done.stdout.splitlines()
    assert "lights" in first.lower()
    assert not {name.split(".")[0] for name in modules} & TRAINING


def test_no_module_of_the_runtime_imports_a_training_library() -> None:
    found = []
    for path in (ROOT / "turbo_stream").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            found += [f"{path.name}: {n}" for n in names if n.split(".")[0] in TRAINING]
    assert not found


def test_heavy_libraries_are_imported_only_where_they_are_needed() -> None:
    """At module level only what every use needs; the rest inside functions."""
    found = []
    for path in (ROOT / "turbo_stream").rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            found += [f"{path.name}: {n}" for n in names if n.split(".")[0] in HEAVY]
    assert not found
