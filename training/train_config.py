"""How the weights are found: steps, rates, stopping."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainConfig:
    """The optimization."""

    steps: int = 900
    """Optimizer steps at most."""

    batch: int = 64
    """Rows a step (each in two views)."""

    learning_rate: float = 1e-4
    """Peak rate of the text tower's pretrained layers."""

    audio_rate: float = 3e-4
    """Peak rate of the audio tower's: they have further to go, from turn ends to intent."""

    head_rate: float = 5e-4
    """Peak rate of everything new."""

    weight_decay: float = 0.01
    """AdamW's."""

    warmup: int = 50
    """Steps of linear warm-up; a cosine to zero follows."""

    evaluate_every: int = 100
    """Steps between looks at the development set."""

    patience: int = 5
    """Looks without improvement before the run stops."""

    no_text: float = 0.2
    """Share of the recordings whose text is withheld."""

    no_audio: float = 0.2
    """Share of the recordings with text whose sound is withheld."""

    bf16: bool = False
    """Autocast to bfloat16; worth it on CPUs with AMX and on GPUs."""

    threads: int = 1
    """CPU threads."""
