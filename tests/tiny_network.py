"""A Turbo small enough to run and train in a moment; import it after torch was found."""

from __future__ import annotations

from models.config import TurboConfig

TINY = TurboConfig(
    hidden=48,
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
