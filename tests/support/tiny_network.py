"""A Turbo small enough to run and train in a moment; import it after torch was found."""

import torch

from models.config import TurboConfig

TINY = TurboConfig(
    hidden=48,
    encoder_width=48,
    heads=2,
    text_heads=4,
    feed_forward=96,
    audio_lower_layers=1,
    audio_upper_layers=1,
    text_layers=1,
    vocabulary_size=60,
    fusion_hidden=32,
    projection=16,
)


def row(samples, tokens, *, pad_samples=0, pad_tokens=0, text=1, seed=0):
    """One utterance's inputs, padded on the right with what must not matter."""
    random = torch.Generator().manual_seed(seed)
    wave = torch.randn(1, samples, generator=random) * 0.1
    junk = torch.full((1, pad_samples), 0.7)
    ids = torch.randint(4, 60, (1, tokens), generator=random)
    return (
        torch.cat([wave, junk], dim=1),
        torch.tensor([samples]),
        torch.cat([ids, torch.full((1, pad_tokens), 9)], dim=1),
        torch.tensor([[text] * tokens + [0] * pad_tokens]),
        torch.tensor([[-0.4, 0.1, 1.2, 0.0]]),
    )
