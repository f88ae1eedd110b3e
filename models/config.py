"""The shape of a Turbo, and the error of one that cannot be built."""

from dataclasses import dataclass


class ModelError(ValueError):
    """The network asked for cannot be built; the message is one line and says what to do."""


@dataclass(frozen=True)
class TurboConfig:
    """Everything needed to build the network; a checkpoint carries it as `config.json`."""

    labels: tuple[str, ...] = ("not_directed", "directed")
    """Names of the K classes, in the order of the logits."""

    sample_rate: int = 16_000
    """Hertz."""

    max_seconds: float = 15.0
    """Longest waveform; of a longer utterance the last part is given."""

    max_tokens: int = 64
    """Longest token row, special tokens included."""

    audio: str = "whisper-tiny"
    """Audio encoder: `whisper-tiny` (see `audio_init`), `compact` (ours, untrained), `recognizer`
    (none of its own: a small body on the states of the recognizer's encoder), or `hf:NAME`, a
    HuBERT, wav2vec 2.0, WavLM or Whisper of Hugging Face, by name or folder."""

    text: str = "minilm"
    """Text encoder: `minilm` (MiniLM-L6) or `compact` (ours), both over a pruned vocabulary, or
    `hf:NAME`, an encoder of Hugging Face with its own tokenizer, by name or folder."""

    audio_architecture: str = ""
    """Configuration of `hf:NAME` as JSON, as in its `config.json`; filled in when a run starts, so
    that its checkpoint is whole without the encoder it came from. Of `recognizer`, whose states
    it reads and how wide they are."""

    text_architecture: str = ""
    """The same of the text encoder."""

    audio_init: str = ""
    """What `whisper-tiny` starts from: a folder of Hugging Face with a Whisper-tiny (that of
    `tools.recognizers whisper-encoder`), or a tower of `training.distillation.sound`; empty for
    smart-turn."""

    text_init: str = ""
    """Folder of a distilled compact text tower to start from; empty for random weights."""

    audio_frozen: bool = False
    """The whole audio encoder is the front, and a compact body of `hidden` is trained on it."""

    text_frozen: bool = False
    """The whole text encoder is the front, and a compact body of `hidden` is trained on it."""

    hidden: int = 384
    """Width D of what both towers give."""

    encoder_width: int = 384
    """Width inside whisper-tiny and minilm (they share it); a linear layer leads to `hidden`."""

    heads: int = 6
    """Attention heads of whisper-tiny."""

    text_heads: int = 12
    """Attention heads of minilm."""

    feed_forward: int = 1536
    """Width inside the feed-forward blocks of whisper-tiny and minilm."""

    audio_lower_layers: int = 2
    """Layers of whisper-tiny at 50 frames a second, kept as pretrained: they hold no dropout.
    Whisper-tiny has four, lower and upper ones together."""

    audio_upper_layers: int = 1
    """Layers of whisper-tiny at 25 frames a second, trained; none where it is frozen."""

    text_layers: int = 3
    """Layers of minilm, trained or frozen; 6 at most."""

    body_layers: int = 1
    """Layers of a compact tower, or of the compact body after a frozen encoder."""

    body_heads: int = 4
    """Attention heads of those layers (feed-forward blocks of 4 times `hidden`), and of
    cross-attention."""

    audio_pool: int = 1
    """Frames of a frozen audio encoder, or states of the recognizer, averaged into one: the body
    then costs less."""

    vocabulary_size: int = 24_000
    """Rows of the token embedding."""

    sep_token_id: int = 3
    """Id that ends a segment; what follows the first one is the transcript of a named device."""

    text_input: str = "names"
    """What the text tower reads: `marked`, a row of `turbo_stream.detection.token_row`, as those
    with a vocabulary of ours do; `names`, the names before the text, as networks before 1.0 did.
    Filled in when a run starts."""

    cut_to_speech: bool = True
    """Whether a sound is cut to its speech before it is given, see
    `turbo_stream.detection.speech_part`; not for the tower `recognizer`."""

    confidence_size: int = 4
    """C: mean log-probability, no-speech probability, compression ratio, 1 if missing."""

    chunk_steps: int = 16
    """Steps of 40 ms that the compact audio tower waits for, and then computes at once."""

    left_chunks: int = 4
    """Chunks before its own that a step of the compact audio tower sees."""

    mask_frames: int = 0
    """Longest stretch of 10 ms frames blanked in training of the compact audio tower; 0 for none.
    The two views then differ by it, too. `objective.hide_frames` is for every tower."""

    mask_bands: int = 0
    """Most neighbouring mel bands blanked there; 0 for none."""

    fusion: str = "concat"
    """How the towers meet: `concat` as in the paper, `additive`, `gated` or `cross_attention`."""

    sound_share: float = 0.25
    """Share of the sound's logits beside words, where `fusion` is `additive`."""

    fusion_hidden: int = 256
    """Width of the fusion layer."""

    use_confidence: bool = True
    """Let the fusion see the recognizer's confidence; without it the input is ignored."""

    projection: int = 128
    """Width of the contrastive space (training only); 0 compares the embeddings themselves."""

    end_of_turn: int = 0
    """Width of the head that hears whether the speaker has finished; 0 for a network without one.
    `training.end_of_turn` adds it to a trained network."""

    dropout: float = 0.1
    """Probability of every dropout; the two views differ by it. Of a run that starts from a
    checkpoint, this and `inner_dropout` are the run's own."""

    inner_dropout: float = 0.0
    """The same inside the layers that are trained: on attention weights and on the wide layer of
    feed-forward blocks. Encoders of Hugging Face but for Whisper have `dropout` there."""

    @property
    def max_samples(self) -> int:
        """Longest waveform in samples."""
        return int(self.max_seconds * self.sample_rate)
