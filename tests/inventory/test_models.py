"""`turbo-models` on a real cache of the Hub (made here) and on real packages."""

import hashlib
import importlib.util
import json
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.tiny_package import write_package
from turbo_stream.cli import models as command
from turbo_stream.cli.command import run_command
from turbo_stream.doctor._models import look_at_recognizers
from turbo_stream.recognition.moonshine_model import FILES
from turbo_stream.recognition.whisper_model import REPOSITORIES

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch) -> Path:
    """An empty cache of the Hub, and no way to the Hub itself."""
    from huggingface_hub import constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return folder


def write_cached(cache: Path, repository: str, leave_out: str = "") -> Path:
    """Lay the small Whisper of the tests into the cache as the Hub's library does."""
    top = cache / f"models--{repository.replace('/', '--')}"
    commit = "c" * 40
    snapshot = top / "snapshots" / commit
    for folder in (top / "refs", top / "blobs", snapshot):
        folder.mkdir(parents=True)
    (top / "refs" / "main").write_text(commit)
    for path in WHISPER.iterdir():
        if path.name == leave_out:
            continue
        content = path.read_bytes()
        name = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        if path.suffix == ".bin":  # as Git LFS names what is large
            name = hashlib.sha256(content).hexdigest()
        (top / "blobs" / name).write_bytes(content)
        (snapshot / path.name).symlink_to(Path("../../blobs") / name)
    return snapshot


@pytest.fixture
def turbo_models(capsys):
    """Return a function that runs the command and returns its status, output and errors."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = run_command(command.models, arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def rows(output: str) -> dict[str, dict]:
    return {row["name"]: row for row in json.loads(output)}


def test_the_list_says_what_is_here_and_what_can_be_had(turbo_models, cache, tmp_path) -> None:
    write_cached(cache, REPOSITORIES["tiny.en"])
    write_cached(cache, REPOSITORIES["base.en"], leave_out="tokenizer.json")
    write_cached(cache, "somebody/my-whisper")
    package = write_package(tmp_path / "own", name="turbo-own")
    status, output, _ = turbo_models("list", "--json", str(package), str(WHISPER))
    found = rows(output)
    states = {name: row["state"] for name, row in found.items() if row["state"] != "absent"}
    states.pop("moonshine", None)  # there where its package is
    assert status == 0 and states == {
        "turbo-rej-en": "present",
        "turbo-own": "present",
        str(WHISPER): "present",
        "tiny.en": "present",
        "base.en": "incomplete",
        "somebody/my-whisper": "present",
    }
    assert "tokenizer.json missing" in found["base.en"]["detail"]
    assert found["tiny.en"]["size_bytes"] == sum(p.stat().st_size for p in WHISPER.iterdir())
    assert found["small"]["path"] is None
    status, output, _ = turbo_models("list")
    assert status == 0 and "download gets: tiny, base, small.en" in output


def test_a_model_of_the_hub_is_verified_by_its_hashes(turbo_models, cache) -> None:
    snapshot = write_cached(cache, REPOSITORIES["tiny.en"])
    status, output, _ = turbo_models("verify")
    assert status == 0
    assert "verified     turbo-rej-en: " in output and "verified     tiny.en: 6 files" in output
    blob = (snapshot / "model.bin").resolve()
    content = bytearray(blob.read_bytes())
    content[1000] ^= 1
    blob.write_bytes(content)
    status, output, _ = turbo_models("verify", "tiny.en", "--json")
    assert status == 1 and rows(output)["tiny.en"]["verdict"] == "damaged"
    assert "model.bin has another hash" in output
    status, output, _ = turbo_models("verify", "turbo-rej-en")
    assert status == 0, "the one that was not damaged"


def test_a_small_file_is_verified_too(turbo_models, cache) -> None:
    snapshot = write_cached(cache, REPOSITORIES["tiny.en"])
    settings = (snapshot / "config.json").resolve()
    settings.write_text(settings.read_text() + " ")
    status, output, _ = turbo_models("verify", "tiny.en")
    assert status == 1 and "config.json has another hash" in output


def test_what_cannot_be_verified_is_said_and_no_failure(turbo_models) -> None:
    status, output, _ = turbo_models("verify", str(WHISPER))
    assert status == 0 and output.startswith("unverifiable")
    assert "nothing says which hash" in output


def test_a_changed_package_and_half_a_model_are_damaged(turbo_models, tmp_path) -> None:
    package = write_package(tmp_path / "own")
    (package / "tokenizer.json").write_text("{}")
    half = tmp_path / "half"
    shutil.copytree(WHISPER, half)
    (half / "model.bin").unlink()
    for folder, says in ((package, "tokenizer.json is damaged"), (half, "model.bin missing")):
        status, output, _ = turbo_models("verify", str(folder))
        assert status == 1 and output.startswith("damaged") and says in output


def test_a_download_of_what_is_here_is_its_folder(turbo_models, cache) -> None:
    snapshot = write_cached(cache, REPOSITORIES["tiny.en"])
    status, output, _ = turbo_models("download", "tiny.en")
    assert (status, output) == (0, f"{snapshot}\n")


@pytest.fixture
def moonshine(tmp_path: Path, monkeypatch) -> Path:
    """A package as pip leaves it behind, with what it says of its files; return its model."""
    top = tmp_path / "site"
    folder = top / "moonshine_voice" / "assets" / "tiny-en"
    folder.mkdir(parents=True)
    (top / "moonshine_voice" / "__init__.py").touch()
    record = []
    for number, name in enumerate(FILES):
        content = bytes([1, 97 + number]) * 50
        (folder / name).write_bytes(content)
        said = urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        record.append(f"{(folder / name).relative_to(top)},sha256={said},{len(content)}\n")
    about = top / "moonshine_voice-0.0.73.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: moonshine-voice\nVersion: 0.0.73\n"
    )
    (about / "RECORD").write_text("".join(record))
    monkeypatch.syspath_prepend(str(top))
    return folder


def test_moonshine_is_listed_with_its_weights_and_verified(turbo_models, moonshine) -> None:
    (moonshine / "streaming.ort").write_bytes(b"not used")
    _, output, _ = turbo_models("list", "--json")
    assert rows(output)["moonshine"] == {
        "kind": "moonshine",
        "name": "moonshine",
        "state": "present",
        "path": str(moonshine),
        "size_bytes": 300,
        "detail": "in the package moonshine-voice",
    }
    (check,) = (one for one in look_at_recognizers() if one.name == "moonshine")
    assert check.state == "ok" and check.found.endswith(f"moonshine-voice: {moonshine}")
    assert turbo_models("download", "moonshine") == (0, f"{moonshine}\n", "")
    status, output, _ = turbo_models("verify", "moonshine")
    assert status == 0 and output.startswith("verified     moonshine: 3 files have the SHA-256")
    (moonshine / FILES[1]).write_bytes(b"x")
    status, output, _ = turbo_models("verify", "moonshine")
    assert status == 1 and f"{FILES[1]} has another hash" in output and "==0.0.73" in output


def test_a_copied_moonshine_is_listed_and_not_verifiable(turbo_models, moonshine, tmp_path) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(moonshine, copied)
    _, output, _ = turbo_models("list", "--json", str(copied))
    assert rows(output)[str(copied)]["state"] == "present"
    status, output, _ = turbo_models("verify", str(copied))
    assert status == 0 and output.startswith("unverifiable")
    (copied / FILES[2]).unlink()
    status, output, _ = turbo_models("verify", str(copied))
    assert status == 1 and f"{FILES[2]} missing" in output


def test_where_moonshine_is_not_it_is_said_how_to_get_it(turbo_models, monkeypatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if "moonshine" in name else there(name)
    )
    get = "pip install 'turbo-listen[moonshine]'"
    _, output, _ = turbo_models("list")
    assert f"{get} gets: moonshine" in output and "large-v3, moonshine" not in output
    (check,) = (one for one in look_at_recognizers() if one.name == "moonshine")
    assert (check.state, check.advice) == ("note", f"{get}, if it is wanted")
    for command_name in ("download", "verify"):
        status, output, errors = turbo_models(command_name, "moonshine")
        assert (status, output) == (2, "") and get in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["download", "tiny.en"], "out of reach"),
        (["download", "no-such-model"], "neither a folder nor a Whisper model"),
        (["verify", "small"], "turbo-models download small"),
        (["verify", "no-such-model"], "neither a folder nor a model"),
        (["list", "/"], "/ holds no model"),
        ([], "Missing command"),
    ],
)
def test_what_is_not_to_be_had_is_told_in_one_line(turbo_models, arguments, says) -> None:
    status, output, errors = turbo_models(*arguments)
    assert (status, output) == (2, "") and says in errors and errors.count("\n") == 1
