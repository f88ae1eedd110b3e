"""A Whisper of a few hundred thousand parameters, and its tokenizer."""

from collections.abc import Iterable
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional

from tools.recognizers.whisper_folder import WhisperConfig, WhisperForConditionalGeneration

WIDTH = 64

SPECIALS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
"""In the English models' order, without languages and timestamps; they follow the text tokens."""


class TestWhisper(nn.Module):
    """Whisper, with a CTC head on the encoder that is used in training only.

    The CTC term (joint training as in arXiv 1609.06773) makes the encoder align sound and text
    within a few hundred steps; attention alone needs many times as many.
    """

    __test__ = False

    def __init__(self, tokenizer: Tokenizer, window_s: int) -> None:
        super().__init__()
        vocabulary = tokenizer.get_vocab_size()
        ids: Any = map(tokenizer.token_to_id, ("<|startoftranscript|>", "<|endoftext|>"))
        start, end = ids
        config = WhisperConfig(
            vocab_size=vocabulary,
            d_model=WIDTH,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=4 * WIDTH,
            decoder_ffn_dim=4 * WIDTH,
            max_source_positions=window_s * 50,
            dropout=0.0,
            decoder_start_token_id=start,
            bos_token_id=end,
            eos_token_id=end,
            pad_token_id=end,
        )
        self.whisper = WhisperForConditionalGeneration(config)
        generation: Any = self.whisper.generation_config
        generation.suppress_tokens = []
        generation.begin_suppress_tokens = [tokenizer.token_to_id("Ġ"), end]
        generation.alignment_heads = [[1, 0]]
        self.ctc = nn.Linear(config.d_model, vocabulary + 1)

    def encode(self, features: Tensor) -> Tensor:
        """Return states `[B, T / 2, WIDTH]` of log-mel `[B, 80, T]`, for any T up to the window.

        The library's own forward accepts the full window only.
        """
        encoder = self.whisper.model.encoder
        states = functional.gelu(encoder.conv1(features))
        states = functional.gelu(encoder.conv2(states)).transpose(1, 2)
        states = states + encoder.embed_positions.weight[: states.shape[1]]
        for layer in encoder.layers:
            states = layer(states, None)
            states = states[0] if isinstance(states, tuple) else states
        return encoder.layer_norm(states)

    def forward(self, features: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return token logits `[B, L, V]` and CTC log-probabilities `[T / 2, B, V + 1]`."""
        states = self.encode(features)
        hidden = self.whisper.model.decoder(input_ids=tokens, encoder_hidden_states=states)
        logits = self.whisper.proj_out(hidden.last_hidden_state)
        return logits, self.ctc(states).log_softmax(-1).transpose(0, 1)


def train_tokenizer(sentences: Iterable[str], size: int) -> Tokenizer:
    """Return a tokenizer of `size` entries, specials included, learnt from `sentences`.

    A sentence is written with a leading space, as Whisper writes it.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([f" {sentence}" for sentence in sentences], trainer)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    return tokenizer
