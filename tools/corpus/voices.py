"""The voices: Debian main only, whose licences let a model made with them ship."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    """One synthetic speaker."""

    name: str
    engine: str
    """`flite`, `festival` or `espeak-ng`."""
    engine_voice: str
    """What the engine calls it."""
    fold: str
    share: float
    """Relative frequency within its fold."""
    license: str
    tone: bool = True
    """Whether the engine can move the fundamental alone, without the formants."""


_CMU = "CMU Flite licence (BSD-like)"
_EDINBURGH = "CSTR/CMU Festival licence (BSD-like)"
_HTS = "EST-2003 / BSD"
_ESPEAK = "GPL-3.0 program; its output is not covered"

VOICES = (
    Voice("flite-rms", "flite", "rms", "train", 3, _CMU, tone=False),
    Voice("flite-slt", "flite", "slt", "train", 2, _CMU),
    Voice("festival-slt", "festival", "cmu_us_slt_arctic_hts", "train", 2, _HTS, tone=False),
    Voice("espeak-m3", "espeak-ng", "en-us+m3", "train", 0.2, _ESPEAK),
    Voice("espeak-m1", "espeak-ng", "en-us+m1", "train", 0.2, _ESPEAK),
    Voice("espeak-f2", "espeak-ng", "en-us+f2", "train", 0.2, _ESPEAK),
    Voice("espeak-f4", "espeak-ng", "en-us+f4", "train", 0.2, _ESPEAK),
    Voice("espeak-gb-m7", "espeak-ng", "en-gb+m7", "train", 0.2, _ESPEAK),
    Voice("espeak-m5", "espeak-ng", "en-us+m5", "train", 0.2, _ESPEAK),
    Voice("espeak-carib-m8", "espeak-ng", "en-029+m8", "train", 0.2, _ESPEAK),
    Voice("espeak-wmids-linda", "espeak-ng", "en-gb-x-gbcwmd+linda", "train", 0.2, _ESPEAK),
    Voice("espeak-scot-f3", "espeak-ng", "en-gb-scotland+f3", "train", 0.2, _ESPEAK),
    # kal16 and kal_diphone are one speaker: one side.
    Voice("flite-kal", "flite", "kal16", "dev", 2, _CMU),
    Voice("festival-kal", "festival", "kal_diphone", "dev", 2, _EDINBURGH),
    Voice("espeak-f1", "espeak-ng", "en-us+f1", "dev", 0.3, _ESPEAK),
    Voice("espeak-lanc-aunty", "espeak-ng", "en-gb-x-gbclan+aunty", "dev", 0.3, _ESPEAK),
    Voice("espeak-gb-m2", "espeak-ng", "en-gb+m2", "dev", 0.3, _ESPEAK),
    Voice("flite-awb", "flite", "awb", "test", 3, _CMU),
    Voice("festival-ked", "festival", "ked_diphone", "test", 3, _EDINBURGH),
    Voice("espeak-f5", "espeak-ng", "en-us+f5", "test", 0.3, _ESPEAK),
    Voice("espeak-m6", "espeak-ng", "en-us+m6", "test", 0.3, _ESPEAK),
    Voice("espeak-rp-m4", "espeak-ng", "en-gb-x-rp+m4", "test", 0.3, _ESPEAK),
)

VOICE_OF = {voice.name: voice for voice in VOICES}
